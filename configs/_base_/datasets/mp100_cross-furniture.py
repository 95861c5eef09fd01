# Trained on every other super-category. There is no validation subset: the
# test episodes are watched during training, as published.
_base_ = './mp100_split1.py'

train_dataloader = dict(dataset=dict(split='furniture'))
val_dataloader = dict(
    sampler=dict(num_episodes=100),
    dataset=dict(split='furniture', subset='test'),
)
test_dataloader = dict(
    sampler=dict(num_episodes=100), dataset=dict(split='furniture')
)
