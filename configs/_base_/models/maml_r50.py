# What adapts, and how far, is carried over from maml_tiny.py, not tuned: the
# rate is smaller by the head's width, since a step moves a logit by the square
# of a feature's norm.
_base_ = './capeformer_r50.py'

model = dict(
    type='AdaptivePoseEstimator',
    adapt='head.final_layer',
    train_steps=2,
    test_steps=2,
    inner_rate=2.5,
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
