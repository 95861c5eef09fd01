"""A heatmap network's head: channel i is keypoint i of any category."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.cnn import build_norm_layer
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType
from torch import Tensor, nn

from .map_head import MapHead


@MODELS.register_module()
class KeypointChannelsHead(MapHead):
    """Deconvolutions and one output channel per keypoint.

    It sees no support: gradient steps adapt it to a category, see
    :class:`~mmcape.models.estimators.AdaptivePoseEstimator`.

    The papers do not describe the network. Ours has the deconvolutions of the
    usual heatmap networks, each of stride 2, but group normalisation: batch
    statistics of the one image that an episode adapts to mean little, and
    running ones are not learned where adaptation holds them fixed. Maps are
    logits, trained by cross-entropy over the cells, whose gradient at a
    channel is the difference of two mean features and moves it far in a few
    steps; the squared error's is smaller by the number of cells.

    Args:
        in_channels: Channels of the backbone's last feature map.
        max_keypoints: Output channels: the most keypoints of an episode.
        codec: Config of the keypoint codec.
        deconv_channels: Width of each deconvolution; each doubles the
            resolution.
        norm_cfg: Config of the normalisation after each of them.
        heatmap_loss: As in :class:`~mmcape.models.heads.MapHead`.
        decoding: As in :class:`~mmcape.models.heads.MapHead`.
    """

    max_keypoints: int

    def __init__(
        self,
        *,
        in_channels: int,
        max_keypoints: int,
        codec: ConfigType,
        deconv_channels: Sequence[int] = (256, 256, 256),
        norm_cfg: ConfigType | None = None,
        heatmap_loss: ConfigType | None = None,
        decoding: str = 'argmax',
    ) -> None:
        super().__init__(codec, heatmap_loss, decoding)
        norm_cfg = norm_cfg or dict(type='GN', num_groups=32)
        self.max_keypoints = max_keypoints
        layers: list[nn.Module] = []
        for channels in deconv_channels:
            layers += [
                nn.ConvTranspose2d(
                    in_channels,
                    channels,
                    kernel_size=4,
                    stride=2,
                    padding=1,
                    bias=False,
                ),
                build_norm_layer(norm_cfg, channels)[1],
                nn.ReLU(inplace=True),
            ]
            in_channels = channels
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(in_channels, max_keypoints, kernel_size=1)

    def init_weights(self) -> None:
        """Kaiming for the deconvolutions, small values for the channels."""
        for module in self.deconv_layers:
            if isinstance(module, nn.ConvTranspose2d):
                # a kernel of 4 and stride 2: 2 x 2 inputs meet at an output
                fan_in = 4 * module.in_channels
                nn.init.normal_(module.weight, std=(2 / fan_in) ** 0.5)
        nn.init.normal_(self.final_layer.weight, std=0.001)
        assert self.final_layer.bias is not None
        nn.init.zeros_(self.final_layer.bias)

    def check_keypoints(self, num_keypoints: int) -> None:
        """Refuse what has no channel.

        Raises:
            ValueError: If there are more keypoints than channels.
        """
        if num_keypoints > self.max_keypoints:
            raise ValueError(
                f'an episode has {num_keypoints} keypoints, but the head has '
                f'max_keypoints={self.max_keypoints} channels. Raise '
                'model.head.max_keypoints and train again'
            )

    def forward(self, features: Tensor) -> Tensor:
        """Logits (B, max_keypoints, h, w) of features (B, C, H, W)."""
        return self.final_layer(self.deconv_layers(features))
