// deploy/proxies/nginx.conf in a real nginx, in front of real servers.
import { nginx } from "../../support/proxies.ts";
import { testProxy } from "../../support/proxy-suite.ts";

testProxy(nginx);
