_base_ = './capeformer_r50.py'

model = dict(
    type='AdaptivePoseEstimator',
    adapt='head',
    train_steps=3,
    test_steps=10,
    inner_rate=1.0,
    second_order=True,
    head=dict(
        _delete_=True,
        type='KeypointChannelsHead',
        in_channels=2048,
        max_keypoints=100,
        codec={{_base_.codec}},
        deconv_channels=(256, 256, 256),
        norm_cfg=dict(type='GN', num_groups=32),
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss'),
        decoding='argmax',
    ),
)
