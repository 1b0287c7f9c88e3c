// A figure, large: a click opens it over the page, another closes it.
"use strict";
(() => {
  const large = document.getElementById("large");

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.zoom");
    if (!button) return;
    const [from, to] = [button.querySelector("img"), large.querySelector("img")];
    to.src = from.src;
    to.alt = from.alt;
    large.showModal();
  });
  large.addEventListener("click", () => large.close());
})();
