// Said before anything else is loaded, so that the page keeps to its content security policy: no eval, and a nonce for the toolkit.
import * as z from "zod";

// zod compiles its checks where it may; here it may not, and even asking would be reported as a violation.
z.config({ jitless: true });

// The toolkit's base library adds one style element and looks here for the nonce that allows it.
const { currentScript } = document;
if (currentScript?.nonce) {
  const meta = document.createElement("meta");
  meta.setAttribute("property", "csp-nonce");
  meta.content = currentScript.nonce;
  document.head.append(meta);
}
