// What every page enhances itself with. Everything works without it.

import "./live.js";
import { countdowns, localTimes, tellZone } from "./times.js";
import { failures, forms } from "./forms.js";
import { menu } from "./menu.js";
import { frames } from "./frames.js";
import { find } from "./find.js";

const enhance = (root) => {
  localTimes(root);
  countdowns(root);
  frames(root);
};

tellZone();
enhance(document);
menu();
find();
forms();
failures();
document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));

for (const field of document.querySelectorAll("[data-editor]")) {
  const { edit } = await import("./editor.js");
  edit(field);
}
