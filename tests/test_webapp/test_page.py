"""A visitor at work: the page in a headless Chromium, without a network."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
import urllib.parse
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mmcape.apis import AnnotatedSupport

pytest.importorskip('gradio', reason='needs requirements/web.txt')
webdriver = pytest.importorskip('selenium.webdriver')

from selenium.webdriver.common.action_chains import (  # noqa: E402
    ActionChains,
)
from selenium.webdriver.common.keys import Keys  # noqa: E402

from mmcape.webapp.server import serving  # noqa: E402

PROGRAMS = {name: shutil.which(name) for name in ('chromium', 'chromedriver')}
pytestmark = pytest.mark.skipif(
    None in PROGRAMS.values(),
    reason="needs Debian's packages chromium and chromium-driver",
)
PATIENCE = 30.0


class Visitor:
    """Chromium on the page.

    Args:
        address: Of the page.
        downloads: Folder of what is downloaded.
    """

    def __init__(self, address, downloads):
        options = webdriver.ChromeOptions()
        options.binary_location = PROGRAMS['chromium']
        for argument in (
            '--headless=new',
            '--no-sandbox',
            '--disable-dev-shm-usage',
            '--window-size=1400,1000',
            # no name is resolved, as on a computer without a network
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        ):
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'performance': 'ALL'})
        options.add_experimental_option(
            'prefs', {'download.default_directory': str(downloads)}
        )
        self.downloads = downloads
        self.driver = webdriver.Chrome(
            options=options,
            service=webdriver.ChromeService(PROGRAMS['chromedriver']),
        )
        self.driver.get(address)
        self.one('#query .empty')

    def all(self, selector):
        return self.driver.find_elements('css selector', selector)

    def one(self, selector):
        return until(lambda: self.all(selector), selector)[0]

    def texts(self, selector):
        return self.driver.execute_script(
            'return [...document.querySelectorAll(arguments[0])]'
            '.map((e) => e.value ?? e.innerText)',
            selector,
        )

    def expect(self, selector, expected):
        """Wait until the texts of elements are these."""
        until(
            lambda: self.texts(selector) == expected,
            lambda: f'{selector}: {self.texts(selector)}, not {expected}',
        )

    def upload(self, field, *paths):
        self.one(f'#{field} input[type=file]').send_keys('\n'.join(paths))

    def drop(self, editor, path):
        """Let a file fall onto an editor."""
        path = Path(path)
        self.driver.execute_script(
            'const [selector, name, content] = arguments;'
            'const bytes = Uint8Array.from(atob(content), (c) =>'
            ' c.charCodeAt(0)); const dataTransfer = new DataTransfer();'
            "const file = new File([bytes], name, {type: 'image/png'});"
            'dataTransfer.items.add(file);'
            'document.querySelector(selector).dispatchEvent('
            "new DragEvent('drop', {dataTransfer, bubbles: true}))",
            *(f'#{editor} .editor', path.name),
            base64.b64encode(path.read_bytes()).decode(),
        )

    def press(self, selector):
        self.one(selector).click()

    def mouse(self, editor, size, start, end=None):
        """Click at a place of the picture (w, h), or drag to another."""
        canvas = self.one(f'#{editor} canvas')
        shown = self.canvas_size(editor)

        def offset(place):
            return [
                (p + 0.5) / of * s - s / 2
                for p, of, s in zip(place, size, shown)
            ]

        chain = ActionChains(self.driver, duration=50)
        chain.move_to_element_with_offset(canvas, *offset(start))
        if end is None:
            chain.click()
        else:
            chain.click_and_hold()
            chain.move_to_element_with_offset(canvas, *offset(end))
            chain.release()
        chain.perform()

    def canvas_size(self, editor):
        return self.driver.execute_script(
            'const frame = document.querySelector(arguments[0])'
            '.getBoundingClientRect(); return [frame.width, frame.height]',
            f'#{editor} canvas',
        )

    def colour(self, editor, size, place):
        """RGB of a canvas at a place of the picture (w, h)."""
        return self.driver.execute_script(
            'const c = document.querySelector(arguments[0]);'
            'const x = c.width * arguments[1], y = c.height * arguments[2];'
            "return [...c.getContext('2d').getImageData(x, y, 1, 1).data]"
            '.slice(0, 3)',
            f'#{editor} canvas',
            *((p + 0.5) / of for p, of in zip(place, size)),
        )

    def download(self, button, name):
        path = self.downloads / name
        path.unlink(missing_ok=True)
        self.press(f'#download-{button}')
        until(path.is_file, name)
        return path

    def addresses(self):
        """Hosts from which anything was requested since the last call."""
        messages = [
            json.loads(entry['message'])['message']
            for entry in self.driver.get_log('performance')
        ]
        addresses = [
            urllib.parse.urlparse(message['params']['request']['url'])
            for message in messages
            if message['method'] == 'Network.requestWillBeSent'
        ]
        return {a.hostname for a in addresses if a.scheme.startswith('http')}


def until(condition, what):
    """What a condition gives once it holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(what() if callable(what) else f'no {what}')


@pytest.fixture(scope='module')
def visitor(inferencer, limits, tmp_path_factory):
    downloads = tmp_path_factory.mktemp('downloads')
    with serving(inferencer, limits=limits) as address:
        assert address.startswith('http://127.0.0.1:')
        visitor = Visitor(address, downloads)
        visitor.files = Path(os.environ['GRADIO_TEMP_DIR']).parent
        yield visitor
        visitor.driver.quit()
    assert not visitor.files.exists()


WIDE = (240, 80)
NAMES = '#support .points input'


def test_click_find_correct_download(visitor, files):
    visitor.upload('shots', files['wide.png'])
    visitor.expect('#support .where', ['1 / 1 wide.png'])
    width, height = visitor.canvas_size('support')
    assert width / height == pytest.approx(3, rel=0.01)
    until(
        lambda: np.allclose(
            visitor.colour('support', WIDE, (200, 30)), (255, 0, 0), atol=12
        ),
        'red dot where the picture has it',
    )

    # four clicks, the last one taken back
    for count, place in enumerate(((20, 20), (200, 30), (120, 70), (5, 5))):
        visitor.mouse('support', WIDE, place)
        visitor.expect(NAMES, [f'keypoint_{i + 1}' for i in range(count + 1)])
    visitor.press('#support [data-do=undo]')
    visitor.expect(NAMES, ['keypoint_1', 'keypoint_2', 'keypoint_3'])

    name = visitor.all(NAMES)[1]
    name.clear()
    name.send_keys('red dot\n')
    visitor.mouse('support', WIDE, (20, 20), (60, 40))
    visitor.press('#support [data-do=connect]')
    visitor.mouse('support', WIDE, (60, 40))
    visitor.mouse('support', WIDE, (200, 30))
    visitor.press('#support [data-do=connect]')
    visitor.all('#support .eye')[2].click()
    until(lambda: visitor.all('#support li.unseen'), 'keypoint not visible')
    path = visitor.download('support', 'support.npz')
    support = AnnotatedSupport.load(path)
    assert list(support.names) == ['keypoint_1', 'red dot', 'keypoint_3']
    assert list(support.skeleton) == [(0, 1)]
    assert support.visible.tolist() == [[True, True, False]]
    np.testing.assert_allclose(
        support.keypoints[0, :2], [(60, 40), (200, 30)], atol=1
    )

    visitor.upload('queries', files['q1.png'], files['q2.png'])
    visitor.expect('#query .where', ['1 / 2 q1.png'])
    visitor.press('#find')
    until(lambda: len(visitor.all('#query li')) == 3, 'results')
    scores = visitor.texts('#query .score')
    assert [0 < float(score) <= 1 for score in scores[:2]] == [True, True]
    assert scores[2] == ''

    before = coco(visitor)
    assert before['categories'][0]['keypoints'] == list(support.names)
    assert before['categories'][0]['skeleton'] == [[1, 2]]
    triples = points(before, 0)
    assert triples[:, 2].tolist() == [2, 2, 0]
    visitor.mouse('query', (120, 90), triples[1, :2], (90, 60))
    until(lambda: 'corrected' in visitor.texts('#query .score'), 'correction')
    after = coco(visitor)
    moved = np.abs(points(after, 0) - triples).max(axis=1) > 0.01
    assert moved.sum() == 1
    np.testing.assert_allclose(points(after, 0)[moved], [(90, 60, 2)], atol=1)
    assert points(after, 1).tolist() == points(before, 1).tolist()
    for image, size in zip(after['images'], ((120, 90), (90, 120))):
        assert (image['width'], image['height']) == size

    path = visitor.download('labelme', 'labelme.zip')
    with zipfile.ZipFile(path) as archive:
        content = json.loads(archive.read('labelme/q1.json'))
        assert 'labelme/q1.png' in archive.namelist()
    labelled = {
        shape['label']: shape['points'][0]
        for shape in content['shapes']
        if shape['shape_type'] == 'point'
    }
    assert list(labelled) == ['keypoint_1', 'red dot']
    assert list(labelled.values()) == points(after, 0)[:2, :2].tolist()

    # the correction taken back by Ctrl+Z, and nothing certain enough
    keys = ActionChains(visitor.driver).key_down(Keys.CONTROL)
    keys.send_keys('z').key_up(Keys.CONTROL).perform()
    until(lambda: visitor.texts('#query .score') == scores, 'undone')
    least = visitor.one('#threshold input[type=number]')
    least.clear()
    least.send_keys('1\n')
    until(lambda: len(visitor.all('#query li.faint')) == 3, 'faint keypoints')
    assert [one['num_keypoints'] for one in coco(visitor)['annotations']] == [
        0,
        0,
    ]
    assert visitor.addresses() == {'127.0.0.1'}


def coco(visitor):
    path = visitor.download('coco', 'keypoints.json')
    return json.loads(path.read_text())


def points(content, index):
    """Keypoints (K, 3) of an annotation."""
    values = content['annotations'][index]['keypoints']
    return np.reshape(values, (-1, 3))


@pytest.fixture
def fresh(visitor):
    """The visitor on the page anew."""
    visitor.driver.refresh()
    until(lambda: visitor.texts('#query .where') == [''], 'empty page')
    # what the visitor had before is deleted
    sessions = visitor.files / 'sessions'
    until(lambda: len(list(sessions.iterdir())) == 1, 'single session')
    assert not list(visitor.files.glob('uploads/**/*.*'))
    return visitor


def test_video_and_further_shot(fresh, files):
    fresh.drop('support', files['wide.png'])
    fresh.expect('#support .where', ['1 / 1 wide.png'])
    fresh.mouse('support', WIDE, (200, 30))
    fresh.expect(NAMES, ['keypoint_1'])
    fresh.upload('shots', files['tall.png'])
    fresh.expect('#support .where', ['2 / 2 tall.png'])
    fresh.press('#find')
    until(lambda: 'no place in picture 2' in alert(fresh), 'message')
    fresh.mouse('support', (80, 240), (40, 30))
    fresh.expect(
        '#support .hint', ['All keypoints are marked in this picture.']
    )
    width, height = fresh.canvas_size('support')
    assert width / height == pytest.approx(1 / 3, rel=0.01)
    fresh.upload('queries', files['clip.avi'])
    fresh.expect('#query .where', ['1 / 3 clip_000000.jpg'])
    fresh.press('#find')
    until(lambda: fresh.all('#query li'), 'results')
    fresh.press('#query [data-do=forward]')
    fresh.expect('#query .where', ['2 / 3 clip_000001.jpg'])
    assert [len(one['keypoints']) for one in coco(fresh)['annotations']] == [
        3
    ] * 3


def alert(visitor):
    return ' '.join(visitor.texts('[role=alert]'))


def test_bad_files_give_a_message(fresh, files):
    for field, names, message in (
        ('shots', ['broken.png'], 'broken.png is no intact image'),
        ('shots', ['cut.png'], 'cut.png is no intact image'),
        ('shots', ['q1.png'] * 4, '4 support pictures are too many'),
        ('queries', ['broken.mp4'], 'broken.mp4 cannot be opened'),
        ('queries', ['long.avi'], 'more than 5 frames'),
        ('queries', ['q1.png'] * 5, '5 query pictures are too many'),
    ):
        fresh.upload(field, *(files[name] for name in names))
        until(lambda: message in alert(fresh), lambda: alert(fresh))  # noqa: B023
    fresh.upload('shots', files['heavy.png'])
    until(
        lambda: 'maximum allowed size' in ''.join(fresh.texts('.toast-body')),
        'message of the size',
    )
    assert 'Traceback' not in fresh.driver.page_source
    assert fresh.texts('#support .where') == ['']
    fresh.upload('shots', files['wide.png'])  # the page goes on
    fresh.expect('#support .where', ['1 / 1 wide.png'])
