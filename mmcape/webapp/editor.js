// A picture with keypoints: click, drag, connect, and name them.
//
// Gradio runs this once for each editor with `element`, `props`, `trigger`
// and `watch`. `props.value` is a view as mmcape/webapp/views.py describes it.
// Every change is sent to the server as the action of an event 'edit', and
// comes back as the next view. Places are pixels of the picture, the centre
// of its first pixel at (0, 0).

const HIT = 14; // how near to a keypoint a click takes it, in CSS pixels
const STILL = 2; // a shorter way is a click, no drag
const TALLEST = 460;

const icon = (paths) => `<svg viewBox="0 0 16 16" width="16" height="16"
  fill="none" stroke="currentColor" stroke-width="1.4">${paths}</svg>`;
const EYE = `<path d="M1 8q7-9 14 0q-7 9-14 0z"/><circle cx="8" cy="8" r="2"/>`;
const OPEN = icon(EYE);
const CLOSED = icon(`${EYE}<path d="M2 14L14 2" stroke-width="1.8"/>`);

const root = element.querySelector('.editor');
root.innerHTML = `
  <div class="toolbar">
    <span class="pager">
      <button type="button" data-do="back" title="Previous picture">◀</button>
      <span class="where"></span>
      <button type="button" data-do="forward" title="Next picture">▶</button>
    </span>
    <button type="button" data-do="undo" title="Ctrl+Z">↶ Undo</button>
    <button type="button" data-do="connect"
      title="Click two keypoints to connect them, again to part them"
      >╱ Draw edges</button>
    <span class="right">
      <button type="button" data-do="discard">Remove picture</button>
      <button type="button" data-do="clear">Remove all</button>
    </span>
  </div>
  <p class="hint"></p>
  <div class="work">
    <div class="stage"><canvas tabindex="0"></canvas></div>
    <ol class="points"></ol>
  </div>
  <p class="empty"></p>`;
const find = (selector) => root.querySelector(selector);
const button = (name) => find(`[data-do="${name}"]`);
const canvas = find('canvas');
const list = find('.points');
const picture = new Image();

let view = null;
let scale = 1; // CSS pixels of a pixel of the picture
let selected = null;
let hovered = null;
let connecting = false;
let edgeStart = null;
let drag = null;

function send(action) {
  trigger('edit', { action });
}

// ---- what is shown

function take() {
  const old = view?.picture?.file;
  view = JSON.parse(JSON.stringify(props.value));
  if (view.picture?.file !== old) {
    selected = hovered = edgeStart = drag = null;
    if (view.picture) {
      const path = encodeURI(`gradio_api/file=${view.picture.file}`);
      picture.src = new URL(path, document.baseURI).href;
    }
  }
  if (selected !== null && selected >= view.points.length) selected = null;
  edgeStart = edgeStart < view.points.length ? edgeStart : null;
  show();
}

function show() {
  const there = view.picture !== null;
  root.dataset.kind = view.kind;
  find('.toolbar').hidden = !there && !view.can_undo;
  find('.hint').hidden = find('.work').hidden = !there;
  find('.empty').hidden = there;
  find('.empty').textContent =
    view.kind === 'support'
      ? 'Drop a picture here, then click its keypoints.'
      : 'Drop the pictures to search, or a short video, here.';
  find('.hint').textContent = connecting
    ? 'Click two keypoints to connect or part them.'
    : view.hint;
  find('.pager').hidden = !there;
  find('.where').textContent = there
    ? `${view.position + 1} / ${view.count}  ${view.picture.name}`
    : '';
  button('back').disabled = view.position <= 0;
  button('forward').disabled = view.position >= view.count - 1;
  button('undo').disabled = !view.can_undo;
  button('connect').hidden = !view.editable;
  button('connect').classList.toggle('on', connecting);
  button('clear').hidden = view.kind !== 'query';
  showList();
  draw();
}

function showList() {
  while (list.children.length > view.points.length) list.lastChild.remove();
  while (list.children.length < view.points.length) {
    list.append(newItem(list.children.length));
  }
  view.points.forEach(showItem);
  list.hidden = !view.points.length;
}

function newItem(index) {
  const item = document.createElement('li');
  item.innerHTML = `<span class="swatch"></span>
    ${view.editable ? '<input maxlength="60">' : '<span class="name"></span>'}
    <span class="score"></span>
    <button type="button" class="eye"></button>
    <button type="button" class="remove" title="Remove this keypoint"
      >✕</button>`;
  item.querySelector('.eye').onclick = () =>
    send({ kind: 'show', index, visible: !isVisible(view.points[index]) });
  item.querySelector('.remove').onclick = () => send({ kind: 'remove', index });
  item.querySelector('.remove').hidden = !view.editable;
  item.onpointerdown = () => select(index);
  const input = item.querySelector('input');
  if (input) listenToName(input, index);
  return item;
}

function listenToName(input, index) {
  input.setAttribute('aria-label', `Name of keypoint ${index + 1}`);
  input.onfocus = () => select(index);
  input.onchange = () => send({ kind: 'rename', index, name: input.value });
  input.onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    const next = list.querySelectorAll('input')[index + 1];
    if (next) next.select();
    else input.blur();
  };
}

function showItem(point, index) {
  const item = list.children[index];
  const part = (name) => item.querySelector(name);
  item.classList.toggle('selected', index === selected);
  item.classList.toggle('unseen', !isVisible(point));
  item.classList.toggle('faint', point.faint);
  part('.swatch').style.background = point.colour;
  part('.eye').innerHTML = isVisible(point) ? OPEN : CLOSED;
  part('.eye').setAttribute('aria-pressed', isVisible(point));
  part('.eye').disabled = !view.editable && point.x === null;
  part('.eye').title = view.editable
    ? 'Whether this keypoint is visible in this picture'
    : 'Whether this keypoint is in the files';
  const input = part('input');
  if (!input) part('.name').textContent = part('.name').title = point.name;
  else if (input !== document.activeElement) input.value = point.name;
  const scored = point.score !== null && point.x !== null;
  part('.score').textContent = point.corrected
    ? 'corrected'
    : scored
      ? point.score.toFixed(2)
      : '';
  part('.score').style.setProperty('--share', point.corrected ? 0 : point.score);
}

function isVisible(point) {
  return point.visible !== false;
}

function select(index) {
  selected = index;
  [...list.children].forEach((item, i) =>
    item.classList.toggle('selected', i === index)
  );
  draw();
}

// ---- drawing

function draw() {
  if (!view?.picture) return;
  const { width, height } = view.picture;
  const room = find('.stage').clientWidth;
  if (!room) return;
  scale = Math.min(room / width, TALLEST / height);
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${width * scale}px`;
  canvas.style.height = `${height * scale}px`;
  canvas.width = Math.round(width * scale * ratio);
  canvas.height = Math.round(height * scale * ratio);
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  if (picture.complete && picture.naturalWidth) {
    pen.drawImage(picture, 0, 0, width * scale, height * scale);
  }
  view.edges.forEach(([i, j]) => drawEdge(pen, i, j));
  view.points.forEach((point, index) => drawPoint(pen, point, index));
  for (const index of new Set([selected, hovered])) drawLabel(pen, index);
}

function onCanvas(point) {
  return [(point.x + 0.5) * scale, (point.y + 0.5) * scale];
}

function drawEdge(pen, i, j) {
  const ends = [view.points[i], view.points[j]];
  if (ends.some((p) => p.x === null || !p.visible || p.faint)) return;
  pen.beginPath();
  pen.moveTo(...onCanvas(ends[0]));
  pen.lineTo(...onCanvas(ends[1]));
  for (const [colour, width] of [['white', 4], ['#555', 2]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }
}

function drawPoint(pen, point, index) {
  if (point.x === null) return;
  const [x, y] = onCanvas(point);
  const solid = point.visible && !point.faint;
  const chosen = index === selected || index === edgeStart;
  const circle = (radius) => {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
  };
  pen.save();
  if (chosen) {
    circle(11);
    pen.strokeStyle = 'white';
    pen.lineWidth = 4;
    pen.stroke();
    pen.strokeStyle = index === edgeStart ? '#e11' : '#2563eb';
    pen.lineWidth = 2;
    pen.stroke();
  }
  circle(7);
  pen.fillStyle = solid ? 'white' : 'rgba(255, 255, 255, 0.6)';
  pen.fill();
  circle(5.5);
  pen.fillStyle = pen.strokeStyle = point.colour;
  pen.lineWidth = 2;
  if (solid) pen.fill();
  else pen.stroke();
  pen.restore();
}

function drawLabel(pen, index) {
  const point = index === null ? null : view.points[index];
  if (!point || point.x === null) return;
  const [x, y] = onCanvas(point);
  const score = point.score === null || point.corrected ? '' : point.score;
  const text = `${point.name} ${score === '' ? '' : score.toFixed(2)}`.trim();
  pen.font = '13px system-ui, sans-serif';
  const width = pen.measureText(text).width + 10;
  const left = Math.min(Math.max(x + 12, 0), view.picture.width * scale - width);
  const top = Math.max(y - 28, 2);
  pen.fillStyle = 'rgba(20, 20, 20, 0.8)';
  pen.fillRect(left, top, width, 20);
  pen.fillStyle = 'white';
  pen.fillText(text, left + 5, top + 14.5);
}

// ---- the mouse

function at(event) {
  const frame = canvas.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

function nearest([x, y]) {
  let best = null;
  let least = HIT;
  view.points.forEach((point, index) => {
    if (point.x === null) return;
    const [px, py] = onCanvas(point);
    const far = Math.hypot(px - x, py - y);
    if (far < least) [best, least] = [index, far];
  });
  return best;
}

function inPicture([x, y]) {
  const { width, height } = view.picture;
  const within = (value, size) => Math.min(Math.max(value, 0), size - 1);
  return {
    x: within(x / scale - 0.5, width),
    y: within(y / scale - 0.5, height),
  };
}

canvas.onpointerdown = (event) => {
  if (event.button !== 0) return;
  const place = at(event);
  const hit = nearest(place);
  if (connecting) return connect(hit);
  if (hit === null) return put(place);
  select(hit);
  const [x, y] = onCanvas(view.points[hit]);
  drag = { index: hit, start: place, grip: [x - place[0], y - place[1]] };
  canvas.setPointerCapture(event.pointerId);
};

canvas.onpointermove = (event) => {
  const place = at(event);
  if (drag) {
    const way = Math.hypot(place[0] - drag.start[0], place[1] - drag.start[1]);
    drag.moved = drag.moved || way > STILL;
    if (!drag.moved) return;
    const grip = [place[0] + drag.grip[0], place[1] + drag.grip[1]];
    drag.place = inPicture(grip);
    Object.assign(view.points[drag.index], drag.place);
    draw();
    return;
  }
  const hit = nearest(place);
  canvas.style.cursor = hit !== null ? 'grab' : canPut() ? 'crosshair' : 'auto';
  if (hit !== hovered) {
    hovered = hit;
    draw();
  }
};

canvas.onpointerup = () => {
  const done = drag;
  drag = null;
  if (done?.moved) send({ kind: 'place', index: done.index, ...done.place });
};

canvas.onpointercancel = () => {
  drag = null;
  take();
};

canvas.onpointerleave = () => {
  hovered = null;
  if (!drag) draw();
};

function target() {
  const chosen = selected === null ? null : view.points[selected];
  if (chosen && chosen.x === null) return selected;
  return view.next;
}

function canPut() {
  return !connecting && target() !== null;
}

function put(place) {
  const index = target();
  selected = null;
  if (index === null) return draw();
  const next = index === 'new' ? null : index;
  send({ kind: 'place', index: next, ...inPicture(place) });
}

function connect(hit) {
  if (hit === null || edgeStart === null || hit === edgeStart) {
    edgeStart = hit === edgeStart ? null : hit;
  } else {
    send({ kind: 'edge', start: edgeStart, end: hit });
    edgeStart = null;
  }
  draw();
}

// ---- the toolbar

button('undo').onclick = () => send({ kind: 'undo' });
button('discard').onclick = () => send({ kind: 'discard' });
button('clear').onclick = () => send({ kind: 'clear' });
button('back').onclick = () => send({ kind: 'go', to: view.position - 1 });
button('forward').onclick = () => send({ kind: 'go', to: view.position + 1 });
button('connect').onclick = () => {
  connecting = !connecting;
  edgeStart = null;
  show();
};
root.onkeydown = (event) => {
  const undo = (event.ctrlKey || event.metaKey) && event.key === 'z';
  if (!undo || event.target.tagName === 'INPUT') return;
  event.preventDefault();
  if (view.can_undo) send({ kind: 'undo' });
};

// ---- files, which the field above the editor uploads

root.ondragover = (event) => event.preventDefault();
root.ondrop = (event) => {
  event.preventDefault();
  const zone = view.kind === 'support' ? '#shots' : '#queries';
  const input = document.querySelector(`${zone} input[type=file]`);
  if (!input || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
};

picture.onload = draw;
new ResizeObserver(draw).observe(find('.stage'));
watch('value', take);
take();
