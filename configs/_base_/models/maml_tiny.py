# Small enough for two CPU cores, from random weights. In short trials the
# channels' weights alone, on a map of 16x16, adapted better than the whole
# head and finer maps, and took half the time.
_base_ = './capeformer_tiny.py'

model = dict(
    type='AdaptivePoseEstimator',
    adapt='head.final_layer',
    train_steps=2,
    test_steps=2,
    inner_rate=10.0,
    second_order=True,
    head=dict(
        _delete_=True,
        type='KeypointChannelsHead',
        in_channels=128,
        max_keypoints=30,
        codec={{_base_.codec}},
        deconv_channels=(64,),
        norm_cfg=dict(type='GN', num_groups=16),
        heatmap_loss=dict(type='SimilarityCrossEntropyLoss'),
        decoding='argmax',
    ),
)
