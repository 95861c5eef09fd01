# A CapeFormer that two CPU cores train in minutes, from random weights: the
# first three stages of a ResNet-18 of half width, so that 128 px give the
# usual 8x8 map, fewer and narrower transformer layers, and a loss on the
# similarity maps that needs no pre-trained features to start from.
_base_ = './capeformer_r50.py'

codec = dict(input_size=(128, 128), heatmap_size=(32, 32), sigma=1)
model = dict(
    backbone=dict(
        depth=18,
        stem_channels=32,
        base_channels=32,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
        init_cfg=None,
    ),
    head=dict(
        in_channels=128,
        embed_dims=128,
        codec=codec,
        encoder=dict(
            num_layers=1, num_heads=4, feedforward_channels=256, dropout=0.0
        ),
        proposal_generator=dict(bottleneck_channels=64),
        decoder=dict(
            num_layers=2, num_heads=4, feedforward_channels=256, dropout=0.0
        ),
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss', loss_weight=1.0),
    ),
)
