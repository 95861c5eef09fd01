"""Keypoint tokens compared with the query image: a heatmap each."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class HeatmapMatcher(BaseModule):
    """POMNet's matching head.

    A keypoint's vector is tiled over the map, concatenated with the image,
    and a 3x3 convolution, deconvolutions and a 1x1 convolution turn the two
    into a heatmap. The convolution of a concatenation is a sum of two, so its
    image half runs once for all keypoints, and the keypoint half, constant
    but for the border, is put together from the response of each tap.

    Published code runs keypoint by keypoint, 100 of them, and BatchNorm sees
    each apart, padding and masked ones included. Here all run at once, and
    BatchNorm normalises over those that the support shows: equal in
    evaluation, another estimate of the same statistics in training.

    A map takes 13 MiB at full size (feature maps of 8 x 8, 256 channels), so
    evaluation, where maps do not see each other, draws a limited number at
    once. Training needs the statistics of all, and an exported graph, whose
    number of maps is free, cannot loop over them: both draw all at once.

    Args:
        embed_dims: Width of the tokens.
        deconv_channels: Channels of the upsampled maps.
        num_deconvs: Deconvolutions; each doubles height and width.
        maps_per_pass: Most maps that evaluation draws at once.

    Raises:
        ValueError: If ``maps_per_pass`` is not positive.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        deconv_channels: int = 256,
        num_deconvs: int = 3,
        maps_per_pass: int = 256,
    ) -> None:
        super().__init__()
        if maps_per_pass < 1:
            raise ValueError(f'maps_per_pass must be > 0, got {maps_per_pass}')
        self.maps_per_pass = maps_per_pass
        self.relation = nn.Conv2d(
            2 * embed_dims, embed_dims, kernel_size=3, padding=1, bias=False
        )
        self.relation_norm = nn.BatchNorm2d(embed_dims)
        layers: list[nn.Module] = []
        widths = [embed_dims] + [deconv_channels] * num_deconvs
        for i, o in zip(widths, widths[1:]):
            layers += [
                nn.ConvTranspose2d(i, o, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(inplace=True),
            ]
        self.upsample = nn.Sequential(*layers)
        self.final = nn.Conv2d(widths[-1], 1, kernel_size=1)
        self.scale_factor = 2**num_deconvs

    def init_weights(self) -> None:
        """Tiny normal weights, so that heatmaps start at zero."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(module.weight, std=0.001)
        assert self.final.bias is not None
        nn.init.zeros_(self.final.bias)

    def forward(
        self,
        query_tokens: Tensor,
        keypoint_tokens: Tensor,
        keypoint_valid: Tensor,
        size: tuple[int, int],
    ) -> Tensor:
        """Draw heatmaps.

        Args:
            query_tokens: (B, h * w, C).
            keypoint_tokens: (B, K, C).
            keypoint_valid: (B, K) bool. In training the heatmaps of others
                are zero and touch no statistics.
            size: ``(h, w)`` of the query's feature map.

        Returns:
            (B, K, h * 2**num_deconvs, w * 2**num_deconvs).
        """
        image = query_tokens.transpose(1, 2).unflatten(2, size)
        if self.training:
            return self._draw_valid(image, keypoint_tokens, keypoint_valid)
        shared, own = self._relate(image, keypoint_tokens.flatten(0, 1))
        own = own.unflatten(0, keypoint_valid.shape)
        maps = self._draw_in_passes((shared.unsqueeze(1) + own).flatten(0, 1))
        return maps.unflatten(0, keypoint_valid.shape)

    def _draw_valid(
        self, image: Tensor, tokens: Tensor, valid: Tensor
    ) -> Tensor:
        """Heatmaps of keypoints that the support shows, zero for others.

        Args:
            image: (B, C, h, w).
            tokens: (B, K, C).
            valid: (B, K) bool.
        """
        sample, keypoint = valid.nonzero(as_tuple=True)
        if len(sample):
            shared, own = self._relate(image, tokens[valid])
            maps = self._draw(shared[sample] + own)
        else:
            maps = self._no_maps(image, tokens)
        heatmaps = maps.new_zeros(*valid.shape, *maps.shape[-2:])
        return heatmaps.index_put((sample, keypoint), maps)

    def _draw_in_passes(self, related: Tensor) -> Tensor:
        """:meth:`_draw`, ``maps_per_pass`` at a time unless it is recorded."""
        if _is_recorded():
            return self._draw(related)
        passes = related.split(self.maps_per_pass)
        return torch.cat([self._draw(part) for part in passes])

    def _draw(self, related: Tensor) -> Tensor:
        """Heatmaps (N, H, W) of what the convolution gives (N, C, h, w)."""
        maps = self.relation_norm(related).relu()
        return self.final(self.upsample(maps))[:, 0]

    def _relate(self, image: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve a concatenation by halves.

        Args:
            image: (B, C, h, w).
            tokens: (N, C), each meant as a constant map.

        Returns:
            (B, C, h, w) and (N, C, h, w), whose sum is the convolution.
        """
        channels, height, width = image.shape[1:]
        weight = self.relation.weight
        shared = F.conv2d(image, weight[:, :channels], padding=1)
        taps = torch.einsum('nc,ocyx->noyx', tokens, weight[:, channels:])
        rows = _taps_inside(height, taps)
        columns = _taps_inside(width, taps)
        own = torch.einsum('noyx,hy,wx->nohw', taps, rows, columns)
        return shared, own

    def _no_maps(self, image: Tensor, tokens: Tensor) -> Tensor:
        """No heatmap at all, (0, H, W), without asking BatchNorm.

        Statistics of nothing are NaN. Distributed training waits for the
        gradient of every parameter, so each gets one, of zero.
        """
        height, width = image.shape[-2:]
        factor = self.scale_factor
        empty = image.new_zeros(0, height * factor, width * factor)
        used = [image, tokens, *self.parameters()]
        return empty + 0 * sum(value.sum() for value in used)


def _is_recorded() -> bool:
    """Whether torch writes the computation down, for any size of inputs."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined]
        return True
    # a torch that cannot say it is older than any that mmcape.export takes
    compiler = getattr(torch, 'compiler', None)
    exporting = getattr(compiler, 'is_exporting', None)
    return exporting is not None and exporting()


def _taps_inside(length: int, like: Tensor) -> Tensor:
    """Which taps of a 3-wide kernel fall inside, (length, 3) of 0 and 1."""
    place = torch.arange(length, device=like.device)
    tap = torch.arange(-1, 2, device=like.device)
    reached = place[:, None] + tap
    return ((reached >= 0) & (reached < length)).to(like.dtype)
