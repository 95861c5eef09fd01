// The canvas of an editor: what it shows, and what the mouse does on it.
//
// Places are pixels of the picture, the centre of its first pixel at (0, 0).

const HIT = 14; // how near to a keypoint a click takes it, in CSS pixels
const STILL = 2; // a shorter way is a click, no drag
const TALLEST = 420; // of the canvas, in CSS pixels
const LIST = 250; // for the list of keypoints and the gap before it

let scale = 1; // CSS pixels of a pixel of the picture
let hovered = null;
let drag = null;

// ---- drawing

function draw() {
  if (!view?.picture) return;
  const { width, height } = view.picture;
  const work = find('.work');
  const narrow = getComputedStyle(work).flexDirection === 'column';
  const room = work.clientWidth - (list.hidden || narrow ? 0 : LIST);
  if (room <= 0) return;
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

// ---- from here on it works

picture.onload = draw;
new ResizeObserver(draw).observe(find('.work'));
watch('value', take);
take();
