"""Compare a head with recorded inputs and outputs of the published one.

A fixture is a file of plain tensors: `config` (sizes), `state_dict` under the
published names and `cases` with inputs and expected outputs. Its names tell
CapeFormer from POMNet. The head is built at the fixture's size, with keypoints
padded to the batch's own count.

    python tools/analysis_tools/check_parity.py FIXTURE [FIXTURE ...]

Prints the largest difference of every output and exits with 1 when one is
beyond tolerance, with 2 when a file is no fixture.
"""

from __future__ import annotations

import argparse
import sys

import mmcape  # noqa: F401  (registers the modules)
from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint
from mmcape.utils.parity import Difference, compare


def check(path: str) -> dict[str, list[Difference]]:
    """Differences of every case in a fixture file.

    Raises:
        CheckpointError: If the file is no fixture.
    """
    fixture = read_checkpoint(path)
    missing = {'config', 'state_dict', 'cases'} - set(fixture)
    if missing:
        raise CheckpointError(
            f'{path} is no fixture of a head: it lacks {sorted(missing)}'
        )
    try:
        return compare(fixture)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f'{path} does not describe a head: {error!r}'
        ) from error


def main() -> int:
    """Print a table for every fixture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        'fixtures',
        nargs='+',
        metavar='FIXTURE',
        help='file of recorded inputs and outputs',
    )
    failures = 0
    for path in parser.parse_args().fixtures:
        try:
            results = check(path)
        except CheckpointError as error:
            parser.error(str(error))
        for case, differences in results.items():
            print(f'{path}: {case}')
            for d in differences:
                verdict = 'ok' if d.passed else 'BEYOND TOLERANCE'
                print(f'  {d.name:56s} {d.value:9.2e} {verdict}')
                failures += not d.passed
    print('parity holds' if not failures else f'{failures} beyond tolerance')
    return int(failures > 0)


if __name__ == '__main__':
    sys.exit(main())
