"""Serve a page on which keypoints are clicked, found, corrected, downloaded.

    python tools/web.py [CONFIG CHECKPOINT] [--host HOST] [--port PORT] [...]

Without a model, that of `make demo` is taken. The page is at
http://127.0.0.1:7860 and can be reached from this computer only, unless
--host says otherwise; Ctrl-C ends it. Needs `pip install "mmcape[web]"`.
"""

from __future__ import annotations

import argparse
import importlib.util
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from mmcape.apis import CapeInferencer, InputError
from mmcape.apis.model_loading import load_config
from mmcape.utils.command_line import add_config_options
from mmcape.utils.input_error import told_by_message
from mmcape.webapp.uploads import Limits

DEMO = (
    'capeformer_tiny_puppets_1shot',
    'work_dirs/demo/capeformer/epoch_15.pth',
)


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        'config', nargs='?', help='config file, or name of one'
    )
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file')
    parser.add_argument('--device', help='by default a GPU if there is one')
    add_config_options(parser)
    parser.add_argument(
        '--looks',
        type=int,
        default=2,
        help='how often a picture is searched, each time closer (default: 2)',
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help='address to listen at; 0.0.0.0 lets others in, without a\n'
        'password (default: 127.0.0.1)',
    )
    parser.add_argument(
        '--port', type=int, help='by default a free one from 7860 on'
    )
    limits = parser.add_argument_group('limits of a visitor')
    of_all = Limits()
    for option, kind, text in (
        ('upload-mb', float, 'size of a file'),
        ('megapixels', float, 'size of a picture'),
        ('shots', int, 'support pictures'),
        ('queries', int, 'query pictures'),
        ('frames', int, 'frames of a video'),
        ('session-mb', float, 'all files that are kept'),
    ):
        default = getattr(of_all, option.replace('-', '_'))
        limits.add_argument(
            f'--max-{option}',
            dest=option.replace('-', '_'),
            type=kind,
            default=kind(default),
            metavar='N',
            help=f'{text} (default: {default:g})',
        )
    return parser.parse_args(arguments)


def make_limits(args: argparse.Namespace) -> Limits:
    """The limits that the options give.

    Raises:
        InputError: If one is not positive.
    """
    given = {name: getattr(args, name) for name in Limits.__annotations__}
    for name, value in given.items():
        if value <= 0:
            option = f'--max-{name.replace("_", "-")}'
            raise InputError(f'{option} must be more than 0, got {value:g}')
    return Limits(**given)


def load_model(args: argparse.Namespace) -> CapeInferencer:
    """The model that the options name, or that of the demonstration.

    Raises:
        InputError: If it is not there or cannot be used.
    """
    if args.config is None:
        root = Path(__file__).resolve().parents[1]
        config, checkpoint = DEMO[0], str(root / DEMO[1])
        if not Path(checkpoint).is_file():
            raise InputError(
                f'{checkpoint} is missing: run `make demo` first, or give a '
                'config and a checkpoint'
            )
    elif args.checkpoint is None:
        raise InputError('give a checkpoint beside the config')
    else:
        config, checkpoint = args.config, args.checkpoint
    cfg = load_config(config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    return CapeInferencer(cfg, checkpoint, args.device)


def serve(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        InputError: If something given cannot be used.
    """
    if importlib.util.find_spec('gradio') is None:
        raise InputError(
            'the page needs Gradio: pip install -r requirements/web.txt'
        )
    if args.looks < 1:
        raise InputError(f'--looks must be at least 1, got {args.looks}')
    limits = make_limits(args)
    inferencer = load_model(args)
    # ended by another program, it deletes the visitors' files, too
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    from mmcape.webapp.server import serving

    with serving(
        inferencer, args.host, args.port, limits, args.looks
    ) as address:
        print(f'The page is at {address} (Ctrl-C ends it).', flush=True)
        if args.host not in ('127.0.0.1', 'localhost', '::1'):
            print('Whoever reaches this computer can use it.', flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print('ended')


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    with told_by_message():
        serve(parse_args())


if __name__ == '__main__':
    main()
