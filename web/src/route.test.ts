import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, isOpen, routeOf, searchPath, watchPath, workPath } from "./route.ts";

test("profiles have a page to choose and one to manage them", () => {
  assert.deepEqual(routeOf("/profiles"), { view: "profiles" });
  assert.deepEqual(routeOf("/profiles/manage"), { view: "manage" });
  assert.deepEqual(routeOf("/profiles/other"), { view: "lost" });
});

test("each view has one address", () => {
  assert.deepEqual(routeOf("/"), { view: "home" });
  assert.deepEqual(routeOf("/login"), { view: "login" });
  assert.deepEqual(routeOf(watchPath("ttl_01J")), { view: "watch", titleId: "ttl_01J" });
  assert.deepEqual(routeOf(workPath("ser_01J")), { view: "work", workId: "ser_01J" });
});

test("what is searched for is in the address", () => {
  for (const text of ["salt", "a/b?c=d&e#f", "Солярис", ""]) {
    assert.deepEqual(routeOf(searchPath(text)), { view: "search", text });
  }
  assert.deepEqual(routeOf("/search"), { view: "search", text: "" });
  assert.deepEqual(routeOf("/account?text=x"), { view: "account" });
});

test("pages of accounts have addresses, some of them without a login", () => {
  assert.deepEqual(routeOf("/account"), { view: "account" });
  assert.deepEqual(routeOf("/device"), { view: "device" });
  for (const view of ["sign-up", "join", "forgot", "reset", "email", "email-back"]) {
    const route = routeOf(`/${view}`);
    assert.deepEqual(route, { view });
    assert.ok(isOpen(route.view));
  }
  for (const path of ["/", "/login", "/account", "/device", "/watch/a", "/nope"]) {
    assert.ok(!isOpen(routeOf(path).view), path);
  }
});

test("what is no address of ours is lost", () => {
  for (const path of ["/watch", "/watch/", "/watch/a/b", "/title", "/title/a/b", "/watch/..", "/nope", "/login/x"]) {
    assert.deepEqual(routeOf(path), { view: "lost" }, path);
  }
});

test("a login link carries its code in the fragment", () => {
  assert.equal(codeOf("#code=abc-_1"), "abc-_1");
  assert.equal(codeOf("#code=a%2Bb"), "a+b");
  assert.equal(codeOf(""), "");
  assert.equal(codeOf("#other=1"), "");
});
