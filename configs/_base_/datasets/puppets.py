# The embedded benchmark, drawn by tools/dataset_converters/make_puppets.py
_base_ = './mp100_split1.py'

data_root = 'data/puppets'
input_size = (128, 128)

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
    batch_size=32,
    num_workers=2,
    sampler=dict(pairs_per_category=40),
    dataset=dict(
        data_root=data_root,
        split=None,
        ann_file='annotations/puppets_train.json',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=60,
    num_workers=2,
    sampler=dict(num_episodes=4),
    dataset=dict(
        data_root=data_root,
        split=None,
        ann_file='annotations/puppets_val.json',
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=60,
    num_workers=2,
    sampler=dict(num_episodes=10),
    dataset=dict(
        data_root=data_root,
        split=None,
        ann_file='annotations/puppets_test.json',
        pipeline=val_pipeline,
    ),
)
