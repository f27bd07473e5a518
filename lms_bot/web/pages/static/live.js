// Shows what happens as it happens, while somebody looks; pages work without it.
"use strict";
(() => {
  const place = document.querySelector("[data-live]");
  if (!place) return;
  const list = place.matches("ul") ? place : null;
  const most = 200;
  let source = null;
  let last = "";
  let seen = 0;

  const count = () => {
    place.hidden = false;
    place.querySelector("[data-count]").textContent = ++seen;
  };
  const insert = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    const item = holder.content.firstElementChild;
    if (!item || document.getElementById(item.id)) return;
    item.classList.add("new");
    list.prepend(item);
    while (list.children.length > most) list.lastElementChild.remove();
    const empty = document.querySelector("[data-empty]");
    if (empty) empty.hidden = true;
  };
  const open = () => {
    const url = new URL(place.dataset.live, location.href);
    if (last) url.searchParams.set("after", last);
    source = new EventSource(url);
    source.onmessage = (message) => {
      last = message.lastEventId;
      if (list) insert(message.data);
      else count();
    };
    source.addEventListener("position", (message) => { last = message.lastEventId; });
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : source || open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", () => source || document.hidden || open());
})();
