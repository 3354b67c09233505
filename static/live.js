// Open pages follow changes. The server says what changed; htmx asks for that part again; this file
// decides when to listen and how to put the answer in without disturbing what is being read or typed.

// A page in the background does not listen: browsers allow few connections to one server, and ten tabs
// would block the eleventh. When it is looked at again it asks for everything it follows.
const REST = 20_000;

class PatientSource extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.names = new Set();
    this.source = null;
    this.timer = 0;
    this.ended = false;
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("pagehide", () => this.#rest());
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    if (!document.hidden) this.#open();
  }

  get readyState() {
    return this.ended ? EventSource.CLOSED : EventSource.OPEN;
  }

  addEventListener(name, listener, options) {
    if (!this.names.has(name)) {
      this.names.add(name);
      this.source?.addEventListener(name, () => this.dispatchEvent(new MessageEvent(name)));
    }
    super.addEventListener(name, listener, options);
  }

  close() {
    this.ended = true;
    this.#rest();
  }

  #open() {
    if (this.ended || this.source) return;
    const source = new EventSource(this.url);
    this.source = source;
    let lost = false;
    for (const name of this.names) {
      source.addEventListener(name, () => this.dispatchEvent(new MessageEvent(name)));
    }
    source.onopen = (event) => {
      this.onopen?.(event);
      if (lost) this.#tellAll();
      lost = false;
    };
    source.onerror = () => {
      lost = true;
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        // Refused for good (signed out, or too many): look again later.
        this.source = null;
        setTimeout(() => document.hidden || this.#wake(), 30_000);
      }
    };
  }

  #rest() {
    this.source?.close();
    this.source = null;
  }

  #wake() {
    if (this.source || this.ended) return;
    this.#open();
    this.#tellAll();
  }

  #look() {
    clearTimeout(this.timer);
    if (document.hidden) this.timer = setTimeout(() => this.#rest(), REST);
    else this.#wake();
  }

  #tellAll() {
    for (const name of this.names) this.dispatchEvent(new MessageEvent(name));
  }
}

window.htmx.createEventSource = (url) => new PatientSource(url);

// `hx-swap="keyed"`: children of a `data-keyed` list are matched by id. One whose `data-version` is
// unchanged stays as it is (with its open frames and its focus), others are replaced, added or removed.
const merge = (old, fresh) => {
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const added = [];
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const same = known.get(child.id);
    known.delete(child.id);
    const keep = same && same.dataset.version !== undefined && same.dataset.version === child.dataset.version;
    const node = keep ? same : child;
    if (same && !keep) {
      if (place === same) place = same.nextElementSibling;
      same.replaceWith(child);
      added.push(child);
    } else if (!same) {
      added.push(child);
    }
    if (node === place) place = place.nextElementSibling;
    else if (node.nextElementSibling !== place || !node.isConnected) old.insertBefore(node, place);
  }
  for (const gone of known.values()) gone.remove();
  return added;
};

window.htmx.defineExtension("keyed", {
  isInlineSwap: (style) => style === "keyed",
  handleSwap: (style, target, fragment) => {
    if (style !== "keyed") return false;
    const fresh = fragment.firstElementChild;
    const lists = fresh ? [...fresh.querySelectorAll("[data-keyed]")] : [];
    const pairs = lists.map((list) => [target.querySelector(`#${CSS.escape(list.id)}`), list]);
    if (!fresh || pairs.length === 0 || pairs.some(([old]) => !old)) {
      // The shape changed (an empty list got its first row): all of it is put in.
      const children = fresh ? [...fresh.childNodes] : [];
      target.replaceChildren(...children);
      return children.filter((child) => child.nodeType === Node.ELEMENT_NODE);
    }
    return pairs.flatMap(([old, list]) => merge(old, list));
  },
});
