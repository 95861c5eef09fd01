"""The paper's figures of an explained episode (Figs. 5 to 7, and maps)."""

from __future__ import annotations

import os.path as osp
from collections.abc import Callable, Sequence

import numpy as np

from .explanation import Explanation
from .layout import grid, row, stack
from .marks import PANEL
from .naming import Naming
from .panels import WRONG, Panels
from .text import caption, legend

_SHOTS = 2
_ZOOMED, _ATTENDED, _MAPPED = 8, 4, 11
_COLUMNS = 6
_CROWD = 40
"""With more keypoints than that, their panels become larger."""


class Figures:
    """Draws one episode; numbers of keypoints count from 0.

    Args:
        found: The episode.
        naming: Of its category.
        panel: Side of a panel in pixels; more where there is a crowd.
        keypoints: Numbers of the keypoints to look at closely, None for some
            of them.
    """

    def __init__(
        self,
        found: Explanation,
        naming: Naming,
        panel: int = PANEL,
        keypoints: Sequence[int] | None = None,
    ) -> None:
        self.found, self.naming = found, naming
        self.side, self.keypoints = panel, keypoints
        crowd = np.clip((found.valid.sum() / _CROWD) ** 0.5, 1, 1.6)
        self.panels = Panels(
            found,
            naming,
            side=round(panel * crowd),
            small=round(0.6 * panel),
        )
        self.stages = list(found.stages)

    def result(self) -> np.ndarray:
        """Fig. 5: support, prediction of each stage, annotation."""
        found, first, last = self.found, self.stages[0], self.stages[-1]
        if first != last:
            answers = {
                first: 'proposals (first stage)',
                last: 'prediction (both stages)',
            }
        else:
            one = ' (one stage)' if first == 'proposals' else ''
            answers = {last: f'prediction{one}'}
        panels = [
            *self._supports(),
            *(self.panels.answer(*answer) for answer in answers.items()),
        ]
        if found.query.visible.any():
            panels.append(self.panels.annotated('annotation', found.query))
        text = f'red ring: {WRONG} of the box or more from the annotation'
        return self._finished(row(panels), text, named=found.valid)

    def walk(self) -> np.ndarray:
        """Fig. 6: the walk of each proposal through the decoder's layers."""
        if len(self.stages) == 1:
            return self._without(
                'no walk: this model has one stage, its first answer is final'
            )
        if self._nothing:
            return self._without(self._nothing)
        panels = [*self._supports(), *map(self.panels.walked, self.stages)]
        zoomed = [self.panels.zoomed(i) for i in self._walkers()]
        rows = [row(panels), grid(zoomed, 2 * len(panels))]
        text = '○ proposal, ● where it is after the layer, × annotation'
        return self._finished(stack(rows), text, named=self.found.valid)

    def attention(self) -> np.ndarray:
        """Fig. 7: where chosen keypoints look in encoder and decoder."""
        encoder, decoder = self.found.encoder, self.found.decoder
        if encoder is None and decoder is None:
            return self._without(
                'no attention: no keypoint of this model attends to the image'
            )
        if self._nothing:
            return self._without(self._nothing)
        rows = []
        for i in self._chosen(_ATTENDED):
            title = [self.naming.title(i), 'support']
            panels = [self.panels.marked_support([i], title)]
            for number, maps in enumerate(() if encoder is None else encoder):
                lines = [
                    f'encoder {number + 1}',
                    f'peak {maps[i].max():.1%} of {maps[i].sum():.0%}',
                ]
                panels.append(self.panels.mapped(i, maps[i], lines))
            for number, maps in enumerate(() if decoder is None else decoder):
                lines = [f'decoder {number + 1}', f'peak {maps[i].max():.1%}']
                panels.append(self.panels.mapped(i, maps[i], lines))
            rows.append(row(panels))
        lines = ['attention to each patch of the image, mean over heads']
        if encoder is None:
            lines.append('keypoints take no part in the encoder')
        return self._finished(stack(rows), *lines)

    def similarity(self) -> np.ndarray:
        """The map of each chosen keypoint, from its minimum on."""
        maps = self.found.maps
        if maps is None:
            return self._without('no maps: this model answers without')
        if self._nothing:
            return self._without(self._nothing)
        chosen = self._chosen(_MAPPED)
        panels = [self.panels.marked_support(chosen, ['support', ' '])]
        for i in chosen:
            low, high = maps[i].min(), maps[i].max()
            lines = [self.naming.title(i), f'{low:.3g} to {high:.3g}']
            panels.append(self.panels.mapped(i, maps[i] - low, lines))
        text = '○ first stage, ● prediction, × annotation'
        if len(self.stages) == 1:
            text = '● prediction, × annotation'
        return self._finished(grid(panels, _COLUMNS), text)

    def _supports(self) -> list[np.ndarray]:
        shots = self.found.support
        return [
            self.panels.annotated(
                'support' if len(shots) == 1 else f'support {n}', crop
            )
            for n, crop in enumerate(shots[:_SHOTS], start=1)
        ]

    def _chosen(self, most: int) -> list[int]:
        """Keypoints to look at: those asked for, or some of all."""
        if self.keypoints is not None:
            return list(self.keypoints)
        valid = np.flatnonzero(self.found.valid)
        spread = np.linspace(0, len(valid) - 1, min(most, len(valid)))
        return valid[spread.round().astype(int)].tolist()

    def _walkers(self) -> list[int]:
        """Keypoints to follow closely: by default the furthest walkers."""
        if self.keypoints is not None:
            return list(self.keypoints)
        steps = np.linalg.norm(np.diff(self.panels.ways, axis=0), axis=2)
        length = np.where(self.found.valid, steps.sum(axis=0), -1)
        count = min(_ZOOMED, int(self.found.valid.sum()))
        return np.argsort(-length)[:count].tolist()

    def _finished(
        self, picture: np.ndarray, *lines: str, named: np.ndarray | None = None
    ) -> np.ndarray:
        """The picture below its title, and above names if it has none."""
        meta, shots = self.found.sample.metainfo, len(self.found.support)
        what = f'episode {meta["episode_index"]}'
        if not self.found.query.visible.any():  # somebody's own picture
            what = osp.basename(meta['img_path'])
        plural = 's' if shots > 1 else ''
        title = f'{meta["category_name"]}, {what}, {shots} shot{plural}'
        width, side = picture.shape[1], self.side
        parts = [caption([title, *lines], width, side), picture]
        if named is not None:
            shown = np.flatnonzero(named).tolist()
            parts.append(legend(self.naming.names, shown, width, side))
        return stack(parts)

    @property
    def _nothing(self) -> str:
        """Why no keypoint can be looked at closely; '' if one can."""
        if self.keypoints or self.found.valid.any():
            return ''
        return 'no keypoint that the crops of all supports show'

    def _without(self, reason: str) -> np.ndarray:
        """The result, and why it is not what was asked for."""
        picture = self.result()
        return stack([caption([reason], picture.shape[1], self.side), picture])


FIGURES: dict[str, Callable[[Figures], np.ndarray]] = dict(
    result=Figures.result,
    walk=Figures.walk,
    attention=Figures.attention,
    similarity=Figures.similarity,
)
"""What can be drawn, by its name."""
