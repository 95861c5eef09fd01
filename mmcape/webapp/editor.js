// A picture with keypoints: click, drag, connect, and name them.
//
// Gradio runs this once for each editor with `element`, `props`, `trigger`
// and `watch`. `props.value` is a view as mmcape/webapp/views.py describes it.
// Every change is sent to the server as the action of an event 'edit', and
// comes back as the next view. canvas.js, which draws and listens to the
// mouse, follows in the same scope.

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
    <canvas tabindex="0"></canvas>
    <ol class="points"></ol>
  </div>
  <p class="empty"></p>`;
const find = (selector) => root.querySelector(selector);
const button = (name) => find(`[data-do="${name}"]`);
const canvas = find('canvas');
const list = find('.points');
const picture = new Image();

let view = null;
let selected = null;
let connecting = false;
let edgeStart = null;

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

// Ctrl+Z is for the editor that was used last.
root.addEventListener(
  'pointerdown',
  () => {
    document.lastEditor = root;
  },
  true
);
document.addEventListener('keydown', (event) => {
  const undo = (event.ctrlKey || event.metaKey) && event.key === 'z';
  const typing = ['INPUT', 'TEXTAREA'].includes(event.target.tagName);
  if (!undo || typing || document.lastEditor !== root) return;
  event.preventDefault();
  if (view.can_undo) send({ kind: 'undo' });
});

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
