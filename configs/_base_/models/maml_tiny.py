# Small enough for two CPU cores, from random weights.
_base_ = './capeformer_tiny.py'

model = dict(
    type='AdaptivePoseEstimator',
    adapt='head',
    train_steps=2,
    test_steps=2,
    inner_rate=1.0,
    second_order=True,
    head=dict(
        _delete_=True,
        type='KeypointChannelsHead',
        in_channels=128,
        max_keypoints=30,
        codec={{_base_.codec}},
        deconv_channels=(64, 64),
        norm_cfg=dict(type='GN', num_groups=16),
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss'),
        decoding='argmax',
    ),
)
