// Loaded before a judge (`node --require`): whatever address and port it wants, it listens on 127.0.0.1 and a free
// port, says `ready <address>` on standard output, and notes every request that it answers in the file JUDGE_LOG.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...wanted) {
  this.once("listening", () => fs.writeSync(1, `ready http://127.0.0.1:${this.address().port}\n`));
  const then = wanted.filter((one) => typeof one === "function");
  return listen.call(this, { host: "127.0.0.1", port: 0 }, ...then);
};

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, response) {
  if (event === "request") {
    const { method, url } = request;
    const path = url.split("?")[0];
    response.once("finish", () => {
      fs.appendFileSync(process.env.JUDGE_LOG, JSON.stringify({ method, path, status: response.statusCode }) + "\n");
    });
  }
  return emit.apply(this, arguments);
};

// Standard output is for the `ready` line alone.
process.stdout.write = process.stderr.write.bind(process.stderr);
