data_root = 'data/mp100'
input_size = (256, 256)

train_pipeline = [
    dict(
        type='ForEachInstance',
        transforms=[
            dict(type='LoadAnnotatedImage'),
            dict(
                type='RandomScaleRotation',
                scale_factor=0.15,
                rotate_factor=15,
                rotate_prob=0.6,
            ),
            dict(type='GetSquareCropBox', padding=1.25),
            dict(type='TopdownAffine', input_size=input_size),
        ],
    ),
    dict(type='PackEpisodeInputs'),
]
val_pipeline = [
    dict(
        type='ForEachInstance',
        transforms=[
            dict(type='LoadAnnotatedImage'),
            dict(type='GetSquareCropBox', padding=1.25),
            dict(type='TopdownAffine', input_size=input_size),
        ],
    ),
    dict(type='PackEpisodeInputs'),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='collate_episodes'),
    sampler=dict(type='TrainingEpisodeSampler', num_shots=1),
    dataset=dict(
        type='MP100Dataset',
        data_root=data_root,
        split=1,
        subset='train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='collate_episodes'),
    sampler=dict(
        type='EvaluationEpisodeSampler',
        num_shots=1,
        num_queries=15,
        num_episodes=100,
    ),
    dataset=dict(
        type='MP100Dataset',
        data_root=data_root,
        split=1,
        subset='val',
        pipeline=val_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type='collate_episodes'),
    sampler=dict(
        type='EvaluationEpisodeSampler',
        num_shots=1,
        num_queries=15,
        num_episodes=200,
    ),
    dataset=dict(
        type='MP100Dataset',
        data_root=data_root,
        split=1,
        subset='test',
        pipeline=val_pipeline,
        test_mode=True,
    ),
)

val_evaluator = dict(type='EpisodePCK')
test_evaluator = dict(type='EpisodePCK')
