// Starts stripe-stateful-mock; its own command would listen on every address.
"use strict";
require("node:http").createServer(require("stripe-stateful-mock").createExpressApp()).listen(0, "127.0.0.1");
