from __future__ import annotations

import json
import os

from mmengine.logging import MMLogger

from mmcape.visualization import PatientVisBackend


def test_a_full_disk_costs_lines_of_the_curves(tmp_path):
    logger = MMLogger.get_instance('full', log_file=str(tmp_path / 'log'))
    backend = PatientVisBackend(str(tmp_path))
    backend.add_scalars(dict(loss=1.0), step=3)
    # writing to this device fails as on a full disk
    os.symlink('/dev/full', tmp_path / 'full.json')
    backend.add_scalars(dict(loss=2.0), step=4, file_path='full.json')
    lines = (tmp_path / 'scalars.json').read_text().splitlines()
    assert [json.loads(line)['loss'] for line in lines] == [1.0, 2.0]
    for handler in logger.handlers:
        handler.flush()
    log = (tmp_path / 'log').read_text()
    assert 'No space left on device. Values of step 4 are lost' in log
