// A field above the index of KPIs that leaves only the rows with every word that is typed.
function addSearch() {
  const rows = [...document.querySelectorAll(".kpi.index tbody tr")];
  const place = document.querySelector(".kpi-search");
  if (!rows.length || !place || place.childElementCount) return;
  place.innerHTML =
    '<label>Search <input type="search" placeholder="refund, per session, basket …"></label><output></output>';
  const [input, output] = [place.querySelector("input"), place.querySelector("output")];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    output.textContent = words.length ? `${shown} of ${rows.length} KPIs` : "";
  });
}
addSearch();

// What the theme leaves out for those who do not use a mouse or do not see the page.
function addNames() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const box of document.querySelectorAll("pre > code, .md-typeset__scrollwrap, .shown")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}
addEventListener("load", addNames);
