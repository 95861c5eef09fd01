# The embedded benchmark, drawn by tools/dataset_converters/make_puppets.py
_base_ = './mp100_split1.py'

data_root = 'data/puppets'
input_size = (128, 128)

# MP-100's pipelines but for the size of the crops, which come last
train_pipeline = _base_.train_pipeline
train_pipeline[0].transforms[-1].input_size = input_size
val_pipeline = _base_.val_pipeline
val_pipeline[0].transforms[-1].input_size = input_size

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
