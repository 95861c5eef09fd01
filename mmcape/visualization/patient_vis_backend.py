"""Curves of a run that nothing but its checkpoints may end."""

from __future__ import annotations

from typing import Any

from mmengine.logging import MMLogger
from mmengine.visualization import LocalVisBackend
from mmpose.registry import VISBACKENDS


@VISBACKENDS.register_module()
class PatientVisBackend(LocalVisBackend):
    """mmengine's local files, of which a full disk may cost lines.

    Whether a run ends then is for the hook to say that saves checkpoints.
    """

    def _dump(self, value_dict: dict[str, Any], *place: str) -> None:
        try:
            super()._dump(value_dict, *place)
        except OSError as error:
            MMLogger.get_current_instance().warning(
                f'cannot write to {place[0]}: {error.strerror}. Values of '
                f'step {value_dict.get("step")} are lost'
            )
