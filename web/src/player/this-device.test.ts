import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceName } from "./this-device.ts";

test("a browser is called as people call it", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36";
  assert.equal(deviceName(chrome), "Chrome, Linux");
  assert.equal(deviceName(`${chrome} Edg/140.0`), "Edge, Linux");
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1";
  assert.equal(deviceName(phone), "Safari, iPhone");
  assert.equal(deviceName("curl/8"), "web");
});
