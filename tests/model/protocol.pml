/* The protocol of till, relay, gateway and customer for one order: who may make a link, take cash, believe a payment.
 *
 * Each transition stands for one function of the till, of the gateway or of the world; README.md names them. Amounts
 * are left out: every link and the cash ask for the whole order, so "at most one settlement" is the question.
 *
 * Built in: answers and hints may be lost, hints forged and repeated; a look is read at the gateway in one step and
 * taken in at the till in a later one, whatever happened between; the till may crash between any two of its writes and
 * then knows only what it wrote; payments may be in flight while their link is closed.
 *
 * Switches: LATE the gateway may authorize a payment that failed; OVERRIDE a manager may give up a link that is not
 * fenced. Planted faults, each of which a property must find: NO_FENCE, CASH_NO_FENCE, ABSENT_IS_FAILED, FENCE_IN_FLIGHT,
 * HINT_IS_FACT, NO_PROBER, FORGET_ON_CRASH, KEY_PER_RETRY, SHOW_ANY_ANSWER, CLOCK_IS_FENCE.
 */
#ifndef LINKS
#define LINKS 2                 /* attempts that the till may make */
#endif
#define CRASHES 1
#define FORGED 1

#define NONE 0                  /* the till's phases: pos.domain.payment.Phase */
#define REQUESTING 1
#define OPEN 2
#define CLOSING 3
#define CLOSED 4
#define RELEASED 5
#define ABANDONED 6

#define L_NONE 0                /* a link at the gateway */
#define L_OPEN 1
#define L_CLOSED 2              /* expired, closed, or complete */

#define P_NONE 0                /* its payment */
#define P_FLIGHT 1
#define P_FAILED 2
#define P_CAPTURED 3

/* durable at the till */
byte phase[LINKS];
bool fenced[LINKS];
bool known[LINKS];              /* the capture is a fact here */
bool linked[LINKS];             /* the link's id is on record */
bool cash;

/* at the gateway */
byte link[LINKS];
byte pay[LINKS];
bool twice;                     /* one attempt has two links: what a key prevents */

/* in the till's memory: lost in a crash */
bool asked[LINKS];              /* a create call of ours is under way */
byte seen_link[LINKS];          /* what a look read and has not taken in yet */
byte seen_pay[LINKS];
bool looked[LINKS];

/* in the world */
bool hint[LINKS];
byte crashes, forged;
bool overridden, late;

#define LIVE(i)      (phase[i] == REQUESTING || phase[i] == OPEN || phase[i] == CLOSING)
#define SHOWN(i)     (phase[i] == OPEN || phase[i] == CLOSING || phase[i] == CLOSED || phase[i] == RELEASED)
#define IN_FLIGHT(i) (seen_pay[i] == P_FLIGHT)
#define PAID         (known[0] || known[1] || cash)
#define MONEY        ((pay[0] == P_CAPTURED) + (pay[1] == P_CAPTURED) + cash + twice)

#if defined(NO_FENCE)
#define FENCED(i) (!LIVE(i) || phase[i] == CLOSING)
#elif defined(CLOCK_IS_FENCE)
#define FENCED(i) true          /* "it must have expired by now" */
#else
#define FENCED(i) (!SHOWN(i) || fenced[i] || phase[i] == RELEASED)
#endif
#if defined(NO_FENCE) || defined(CLOCK_IS_FENCE)
#define NOT_LIVE(i) true
#else
#define NOT_LIVE(i) (!LIVE(i))
#endif
#if defined(CASH_NO_FENCE)
#define CASH_FREE(i) true
#else
#define CASH_FREE(i) (FENCED(i) && NOT_LIVE(i))
#endif

#define FREE(i) (FENCED(i) && NOT_LIVE(i))

inline forget(i) {              /* what only memory held */
    asked[i] = false; looked[i] = false; seen_link[i] = L_NONE; seen_pay[i] = P_NONE;
}

/* What a person at the counter starts. */
proctype Cashier() {
    byte n = 0;
end:
    do
    :: atomic { n < LINKS && !PAID && FREE(0) && FREE(1) && phase[n] == NONE ->
                phase[n] = REQUESTING; asked[n] = true; n++ }                          /* draft */
    :: atomic { !PAID && CASH_FREE(0) && CASH_FREE(1) -> cash = true }                 /* cash */
    :: atomic { phase[0] == OPEN -> phase[0] = CLOSING }                               /* withdraw */
    :: atomic { phase[1] == OPEN -> phase[1] = CLOSING }
    :: atomic { phase[0] == REQUESTING -> phase[0] = ABANDONED }                       /* give up unseen */
    :: atomic { phase[1] == REQUESTING -> phase[1] = ABANDONED }
#ifdef OVERRIDE
    :: atomic { phase[0] == OPEN || phase[0] == CLOSING -> phase[0] = RELEASED; overridden = true }   /* override */
    :: atomic { phase[1] == OPEN || phase[1] == CLOSING -> phase[1] = RELEASED; overridden = true }
#endif
    od
}

/* The create call of one attempt, and what its answer may do. */
proctype Caller(byte i) {
end:
    do
    :: atomic { asked[i] && link[i] == L_NONE -> link[i] = L_OPEN }                    /* arrives */
#ifdef KEY_PER_RETRY
    :: atomic { asked[i] && link[i] != L_NONE && phase[i] == REQUESTING -> twice = true }
#endif
    :: atomic { asked[i] && link[i] != L_NONE ->                                       /* its answer */
                asked[i] = false; linked[i] = true;
                if
#ifdef SHOW_ANY_ANSWER
                :: phase[i] == ABANDONED -> phase[i] = OPEN
#endif
                :: phase[i] == REQUESTING -> phase[i] = OPEN
                :: else -> skip
                fi }
    :: atomic { asked[i] -> asked[i] = false }                                         /* no answer */
    od
}

/* One look: close where it is to be closed, read, later take in. Hints and the prober start it. A report, or a payment
 * that a hint names, tells of the payment alone: its link is then withdrawn, and looked at by itself. */
proctype Looker(byte i) {
end:
    do
    :: atomic { hint[i] && !looked[i] -> hint[i] = false;                              /* hint */
#ifdef HINT_IS_FACT
                known[i] = true;
#endif
                if
                :: link[i] != L_NONE && phase[i] != NONE -> seen_link[i] = link[i]; seen_pay[i] = pay[i];
                   looked[i] = true; linked[i] = true
                :: else -> skip
                fi }
#ifndef NO_PROBER
    :: atomic { !looked[i] && link[i] != L_NONE && phase[i] != NONE && phase[i] != REQUESTING &&
                (!fenced[i] || !known[i]) && (link[i] != L_CLOSED || !fenced[i] || pay[i] == P_CAPTURED) ->
                if                                                                     /* close, then read */
                :: (phase[i] == CLOSING || phase[i] == ABANDONED) && link[i] == L_OPEN -> link[i] = L_CLOSED
                :: else -> skip
                fi;
                seen_link[i] = link[i]; seen_pay[i] = pay[i]; looked[i] = true; linked[i] = true }
    :: atomic { phase[i] == REQUESTING && !asked[i] -> phase[i] = ABANDONED }          /* past its time */
    :: atomic { pay[i] == P_CAPTURED && !known[i] && phase[i] != NONE ->               /* payment alone */
                known[i] = true;
                if
                :: phase[i] == OPEN -> phase[i] = CLOSING
                :: else -> skip
                fi }
#endif
#ifdef ABSENT_IS_FAILED
    :: atomic { phase[i] == OPEN && pay[i] != P_CAPTURED -> phase[i] = CLOSED; fenced[i] = true }
#endif
    :: atomic { looked[i] ->                                                           /* settle */
                looked[i] = false;
                if
                :: seen_pay[i] == P_CAPTURED -> known[i] = true
                :: else -> skip
                fi;
                if
#ifdef FENCE_IN_FLIGHT
                :: seen_link[i] == L_CLOSED ->
#else
                :: seen_link[i] == L_CLOSED && !IN_FLIGHT(i) ->
#endif
                   fenced[i] = true;
                   if
                   :: phase[i] == OPEN || phase[i] == CLOSING || phase[i] == RELEASED -> phase[i] = CLOSED
                   :: else -> skip
                   fi
                :: seen_link[i] == L_CLOSED && IN_FLIGHT(i) && phase[i] == OPEN -> phase[i] = CLOSING
                :: else -> skip
                fi;
                seen_link[i] = L_NONE; seen_pay[i] = P_NONE }
    od
}

/* Customer and gateway. A link takes one payment; what is in flight is finished whatever becomes of the link. */
proctype Gateway(byte i) {
end:
    do
    :: atomic { link[i] == L_OPEN && SHOWN(i) && pay[i] != P_CAPTURED && pay[i] != P_FLIGHT ->
                pay[i] = P_FLIGHT }                                                    /* begins */
    :: atomic { pay[i] == P_FLIGHT -> pay[i] = P_CAPTURED; link[i] = L_CLOSED;
                if :: hint[i] = true :: skip fi }                                      /* captured */
    :: atomic { pay[i] == P_FLIGHT -> pay[i] = P_FAILED }                              /* declined */
    :: atomic { link[i] == L_OPEN -> link[i] = L_CLOSED }                              /* expires */
#ifdef LATE
    :: atomic { pay[i] == P_FAILED -> late = true; pay[i] = P_CAPTURED; link[i] = L_CLOSED } /* late */
#endif
    :: atomic { pay[i] == P_CAPTURED && !hint[i] && forged < FORGED -> forged++; hint[i] = true } /* again */
    :: atomic { pay[i] != P_CAPTURED && !hint[i] && forged < FORGED -> forged++; hint[i] = true } /* forged */
    od
}

proctype Crash() {
end:
    do
    :: atomic { crashes < CRASHES -> crashes++; forget(0); forget(1);                  /* crash */
#ifdef FORGET_ON_CRASH
                if
                :: phase[0] == OPEN -> phase[0] = NONE; fenced[0] = true
                :: else -> skip
                fi
#endif
              }
    od
}

init {
    atomic {
        run Cashier(); run Caller(0); run Caller(1); run Looker(0); run Looker(1);
        run Gateway(0); run Gateway(1); run Crash()
    }
}

/* One settlement at most, unless the gateway authorized late or a manager overrode. */
ltl once { [] (MONEY <= 1 || late || overridden) }
/* Never paid here unless paid there. */
ltl honest { [] ((known[0] -> pay[0] == P_CAPTURED) && (known[1] -> pay[1] == P_CAPTURED)) }
/* What was paid at the gateway is in the end paid here, also when every webhook is lost. */
ltl heard0 { [] (pay[0] == P_CAPTURED -> <> known[0]) }
ltl heard1 { [] (pay[1] == P_CAPTURED -> <> known[1]) }
