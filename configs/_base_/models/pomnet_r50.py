codec = dict(
    type='SeparableGaussian',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    sigma=2,
)
backbone = dict(
    type='ResNet',
    depth=50,
    out_indices=(3,),
    init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
)

model = dict(
    type='FewShotPoseEstimator',
    data_preprocessor=dict(
        type='EpisodeDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=backbone,
    support_backbone=backbone,
    head=dict(
        type='PomNetHead',
        in_channels=2048,
        embed_dims=256,
        codec=codec,
        pooling=dict(type='KeypointPooling'),
        encoder=dict(
            type='QueryEncoder',
            num_layers=3,
            num_heads=8,
            feedforward_channels=2048,
            dropout=0.1,
        ),
        decoder=dict(
            type='DetrDecoder',
            num_layers=3,
            num_heads=8,
            feedforward_channels=2048,
            dropout=0.1,
        ),
        matcher=dict(
            type='HeatmapMatcher', deconv_channels=256, num_deconvs=3
        ),
        heatmap_loss=dict(type='HeatmapMSELoss', divisor=100),
    ),
)
