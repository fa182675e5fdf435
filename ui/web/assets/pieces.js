// The value is a list of elements, each a list of pieces of HTML. Only what differs from the value
// before is changed on the page: the rest keeps the focus, the selection and what a reader opened.
let drawn = [];  // elements as the server wrote them, and as they are on the page
const parse = (html) => {
  const holder = document.createElement('template');
  holder.innerHTML = html;
  return holder.content.firstElementChild;
};
const keyOf = (node) => node.dataset?.id ?? node.id ?? '';
const patch = (live, before, after) => {
  if (before.isEqualNode(after)) return live;
  if (before.nodeName !== after.nodeName || keyOf(before) !== keyOf(after)) {
    const other = after.cloneNode(true);
    live.replaceWith(other);
    return other;
  }
  if (before.nodeType !== Node.ELEMENT_NODE) {
    live.textContent = after.textContent;
    return live;
  }
  for (const {name} of before.attributes) if (!after.hasAttribute(name)) live.removeAttribute(name);
  for (const {name, value} of after.attributes) {
    if (before.getAttribute(name) !== value) live.setAttribute(name, value);
  }
  const [there, old, next] = [live, before, after].map((one) => [...one.childNodes]);
  if (there.length !== old.length) {  // a script has changed them
    live.replaceChildren(...next.map((one) => one.cloneNode(true)));
    return live;
  }
  const shorter = Math.min(old.length, next.length);
  let first = 0, last = 0;  // children that are the same at the beginning and at the end
  while (first < shorter && old[first].isEqualNode(next[first])) first += 1;
  while (last < shorter - first && old.at(-1 - last).isEqualNode(next.at(-1 - last))) last += 1;
  const end = there[old.length - last] ?? null;
  for (let at = first; at < Math.max(old.length, next.length) - last; at += 1) {
    const isOld = at < old.length - last, isNext = at < next.length - last;
    if (isOld && isNext) patch(there[at], old[at], next[at]);
    else if (isOld) there[at].remove();
    else live.insertBefore(next[at].cloneNode(true), end);
  }
  return live;
};
const draw = () => {
  const before = drawn;
  drawn = (props.value || []).map((pieces, at) => {
    const html = pieces.join('');
    if (before[at]?.html === html) return before[at];
    const node = parse(html);
    const old = before.find((one) => keyOf(one.node) === keyOf(node));
    return {html, node, live: old ? patch(old.live, old.node, node) : node.cloneNode(true)};
  });
  const wanted = new Set(drawn.map((one) => one.live));
  for (const child of [...element.children]) if (!wanted.has(child)) child.remove();
  drawn.forEach(({live}, at) => {
    if (element.children[at] !== live) element.insertBefore(live, element.children[at] ?? null);
  });
};
draw();
watch('value', draw);
