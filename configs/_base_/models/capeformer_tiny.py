# A CapeFormer that two CPU cores train in minutes, from random weights: a
# ResNet-18 of half width and stride 16, so that 128 px give the usual 8x8 map.
_base_ = './capeformer_r50.py'

codec = dict(input_size=(128, 128), heatmap_size=(32, 32), sigma=1)
model = dict(
    backbone=dict(
        depth=18,
        stem_channels=32,
        base_channels=32,
        strides=(1, 2, 2, 1),
        init_cfg=None,
    ),
    head=dict(
        in_channels=256,
        embed_dims=128,
        codec=codec,
        encoder=dict(num_heads=4, feedforward_channels=256, dropout=0.0),
        proposal_generator=dict(bottleneck_channels=64),
        decoder=dict(num_heads=4, feedforward_channels=256, dropout=0.0),
    ),
)
