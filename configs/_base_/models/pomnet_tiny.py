# A POMNet that two CPU cores train in minutes, from random weights: backbones
# as in capeformer_tiny.py, fewer and narrower transformer layers, heatmaps of
# 32x32 by two narrow deconvolutions.
_base_ = './pomnet_r50.py'

codec = dict(input_size=(128, 128), heatmap_size=(32, 32), sigma=1)
backbone = dict(
    depth=18,
    stem_channels=32,
    base_channels=32,
    num_stages=3,
    strides=(1, 2, 2),
    dilations=(1, 1, 1),
    out_indices=(2,),
    init_cfg=None,
)
model = dict(
    backbone=backbone,
    support_backbone=backbone,
    head=dict(
        in_channels=128,
        embed_dims=128,
        codec=codec,
        encoder=dict(
            num_layers=1, num_heads=4, feedforward_channels=256, dropout=0.0
        ),
        decoder=dict(
            num_layers=2, num_heads=4, feedforward_channels=256, dropout=0.0
        ),
        matcher=dict(deconv_channels=64, num_deconvs=2),
    ),
)
