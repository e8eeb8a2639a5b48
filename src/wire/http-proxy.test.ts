import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { gzipSync, gunzipSync } from "node:zlib";
import type { HttpClient, HttpHandler } from "#base/http.ts";
import { isIoError } from "#base/files.ts";
import { silentLogger } from "#base/log.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { serveHttp } from "#base/os/http.ts";
import { rewriteHtmlLinks } from "./html-links.ts";
import { proxyHttp, rewriteUrl, type ProxyHttpOptions } from "./http-proxy.ts";

async function serve(t: TestContext, onRequest: HttpHandler): Promise<HttpClient> {
  const server = await serveHttp({
    listen: { host: "127.0.0.1", port: 0 },
    onRequest,
    log: silentLogger,
  });
  t.after(() => server.close(0));
  return createHttpClient({ baseUrl: `http://127.0.0.1:${server.port}` });
}

/** A proxy at `/proxy` in front of `backend`. */
async function serveProxy(
  t: TestContext,
  backend: HttpHandler,
  options: Partial<ProxyHttpOptions> = {},
): Promise<HttpClient> {
  const client = await serve(t, backend);
  return serve(t, (exchange) =>
    proxyHttp(exchange, { client, path: exchange.url.replace("/proxy", ""), ...options }),
  );
}

async function textOf(response: { readAll(): Promise<Uint8Array> }): Promise<string> {
  return Buffer.from(await response.readAll()).toString();
}

test("requests pass with path, body and headers, without credentials and those of the hop", async (t) => {
  const proxy = await serveProxy(t, async (exchange) => {
    const { method, url, headers } = exchange;
    const body = Buffer.from(await exchange.readBody(1 << 20)).toString();
    exchange.respond(
      201,
      { "x-a": ["1", "2"], connection: "x-gone", "x-gone": "1" },
      JSON.stringify({ method, url, headers, body }),
    );
  });
  const response = await proxy.request({
    method: "PATCH",
    path: "/proxy/a%2Fb?c=d",
    headers: {
      authorization: "Bearer t",
      cookie: "c",
      "impersonate-user": "jane",
      "impersonate-extra-scope": "all",
      "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.dA, v5.channel.k8s.io",
      connection: "x-hop",
      "x-hop": "1",
      "x-kept": "yes",
      host: "front",
    },
    body: "payload",
  });
  assert.equal(response.status, 201);
  assert.deepEqual(response.headerValues("x-a"), ["1", "2"]);
  assert.equal(response.headers["x-gone"], undefined);
  const seen = JSON.parse(await textOf(response));
  assert.deepEqual([seen.method, seen.url, seen.body], ["PATCH", "/a%2Fb?c=d", "payload"]);
  const {
    host,
    "x-kept": kept,
    "x-forwarded-for": forwarded,
    authorization,
    cookie,
    "x-hop": hop,
    "impersonate-user": impersonated,
    "impersonate-extra-scope": scope,
    "sec-websocket-protocol": protocols,
  } = seen.headers;
  assert.deepEqual(
    [host, kept, forwarded, authorization, cookie, hop],
    ["front", "yes", "127.0.0.1", undefined, undefined, undefined],
  );
  assert.deepEqual([impersonated, scope, protocols], [undefined, undefined, "v5.channel.k8s.io"]);
});

test("an empty path redirects to one with a slash", async (t) => {
  const proxy = await serveProxy(t, (exchange) => exchange.respond(200, {}, exchange.url));
  const rows: [path: string, status: number, location: string | undefined][] = [
    ["/proxy", 301, "/proxy/"],
    ["/proxy?a=b", 301, "/proxy/?a=b"],
    ["/proxy/", 200, undefined],
  ];
  for (const [path, status, location] of rows) {
    const response = await proxy.request({ method: "GET", path });
    assert.deepEqual([response.status, response.headers["location"]], [status, location]);
  }
});

test("links and redirects of the backend are led through the proxy", async (t) => {
  const page = '<html><a href="/rewriteme">test</a><a href="rel">x</a></html>';
  const proxy = await serveProxy(
    t,
    (exchange) => {
      const type = { "content-type": "text/html; charset=utf-8" };
      if (exchange.url === "/moved") exchange.respond(302, { location: "/there?x" });
      else if (exchange.url === "/gzip")
        exchange.respond(200, { ...type, "content-encoding": "gzip" }, gzipSync(page));
      else if (exchange.url === "/text")
        exchange.respond(200, { "content-type": "text/plain" }, page);
      else exchange.respond(200, { ...type, "access-control-allow-origin": "*" }, page);
    },
    { pathPrepend: "/api/v1/proxy" },
  );
  const rewritten = page.replace("/rewriteme", "/api/v1/proxy/rewriteme");
  const get = (path: string) => proxy.request({ method: "GET", path: `/proxy${path}` });
  const plain = await get("/page");
  assert.equal(plain.headers["access-control-allow-origin"], undefined);
  assert.equal(await textOf(plain), rewritten);
  assert.equal(gunzipSync(await (await get("/gzip")).readAll()).toString(), rewritten);
  assert.equal(await textOf(await get("/text")), page);
  assert.equal((await get("/moved")).headers["location"], "/api/v1/proxy/there?x");
});

test("redirects are refused where they must not be followed", async (t) => {
  const proxy = await serveProxy(
    t,
    (exchange) => exchange.respond(307, { location: "http://x/" }),
    {
      rejectRedirects: true,
    },
  );
  const response = await proxy.request({ method: "GET", path: "/proxy/" });
  assert.equal(response.status, 502);
  assert.match(await textOf(response), /^the backend attempted to redirect this request/);
});

test("a stream passes as it comes; the backend learns when the client leaves", async (t) => {
  const gone = Promise.withResolvers<void>();
  const proxy = await serveProxy(t, (exchange) => {
    exchange.signal.addEventListener("abort", () => gone.resolve());
    exchange.startResponse(200, {}).write("first");
  });
  const response = await proxy.request({ method: "GET", path: "/proxy/" });
  for await (const chunk of response.body) {
    assert.equal(Buffer.from(chunk).toString(), "first");
    break;
  }
  response.discard();
  await gone.promise;
});

test("a backend that cannot be reached rejects, and the exchange is still open", async (t) => {
  const nowhere = createHttpClient({ baseUrl: "http://127.0.0.1:1" });
  const front = await serve(t, async (exchange) => {
    await assert.rejects(proxyHttp(exchange, { client: nowhere, path: "/" }), (error) =>
      isIoError(error, "ECONNREFUSED"),
    );
    exchange.respond(503, {}, "error trying to reach service");
  });
  assert.equal((await front.request({ method: "GET", path: "/" })).status, 503);
});

test("rewriteUrl touches only absolute paths of the same host", () => {
  const rows: [target: string, expected: string][] = [
    ["/a/b?c#d", "/p/x/a/b?c#d"],
    ["/", "/p/x/"],
    ["a/b", "a/b"],
    ["?q", "?q"],
    ["http://other/a", "http://other/a"],
    ["//other/a", "//other/a"],
    ["http://front:1/a", "/p/x/a"],
    ["/p/x/a", "/p/x/a"],
    ["mailto:a@b", "mailto:a@b"],
    ["", ""],
  ];
  for (const [target, expected] of rows)
    assert.equal(rewriteUrl(target, "/p/x", "front:1"), expected);
});

test("rewriteHtmlLinks finds URLs in tags, and leaves all else alone", () => {
  const rows: [html: string, expected: string][] = [
    ['<a href="/x">', '<a href="[/x]">'],
    ["<A HREF='/x' class=y>", "<A HREF='[/x]' class=y>"],
    ["<img src=/x/y alt>", "<img src=[/x/y] alt>"],
    ['<img src="/x"/><br/>', '<img src="[/x]"/><br/>'],
    [
      '<a title="<a href=/no>" href="/x?a=1&amp;b">',
      '<a title="<a href=/no>" href="[/x?a=1&amp;b]">',
    ],
    ['<!-- <a href="/x"> --><a href="/y">', '<!-- <a href="/x"> --><a href="[/y]">'],
    [
      '<script src="/s">"<a href=/x>"</script><a href="/y">',
      '<script src="[/s]">"<a href=/x>"</script><a href="[/y]">',
    ],
    ['<div href="/x">a < b</div>', '<div href="/x">a < b</div>'],
    ['<a href="/unclosed', '<a href="/unclosed'],
    ["<", "<"],
  ];
  for (const [html, expected] of rows) {
    assert.equal(
      rewriteHtmlLinks(html, (url) => `[${url}]`),
      expected,
      html,
    );
  }
});
