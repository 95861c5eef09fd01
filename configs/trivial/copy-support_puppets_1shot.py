# Copies the support's keypoints: what an unseen category gives away.
_base_ = ['../_base_/default_runtime.py', '../_base_/datasets/puppets.py']

codec = dict(
    type='SeparableGaussian',
    input_size=(128, 128),
    heatmap_size=(32, 32),
    sigma=1,
)
model = dict(
    type='TrivialPoseEstimator',
    rule='copy_support',
    codec=codec,
    data_preprocessor=dict(
        type='EpisodeDataPreprocessor', mean=[0, 0, 0], std=[1, 1, 1]
    ),
)

# no image is looked at, so there is nothing to encode
test_cfg = dict(type='TestLoop')
# nothing to train
train_dataloader = None
val_dataloader = None
val_evaluator = None
val_cfg = None
