codec = dict(
    type='SeparableGaussian',
    input_size=(256, 256),
    heatmap_size=(64, 64),
    sigma=2,
)

model = dict(
    type='FewShotPoseEstimator',
    data_preprocessor=dict(
        type='EpisodeDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        out_indices=(3,),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(
        type='CapeFormerHead',
        in_channels=2048,
        embed_dims=256,
        codec=codec,
        pooling=dict(type='KeypointPooling'),
        identifier=dict(type='SineKeypointIdentifier', length=100),
        encoder=dict(
            type='QuerySupportEncoder',
            num_layers=3,
            num_heads=8,
            feedforward_channels=2048,
            dropout=0.1,
        ),
        proposal_generator=dict(
            type='ProposalGenerator', bottleneck_channels=128
        ),
        decoder=dict(
            type='RefinementDecoder',
            num_layers=3,
            num_heads=8,
            feedforward_channels=2048,
            dropout=0.1,
        ),
        heatmap_loss=dict(type='SimilarityHeatmapLoss', loss_weight=2.0),
        proposal_loss=dict(type='KeypointL1Loss', loss_weight=1.0),
        refine_loss=dict(type='KeypointL1Loss', loss_weight=1.0),
    ),
)
