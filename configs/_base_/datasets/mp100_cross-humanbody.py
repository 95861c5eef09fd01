# Trained on every other super-category. There is no validation subset: the
# test episodes are watched during training, as published.
_base_ = './mp100_split1.py'

train_dataloader = dict(dataset=dict(split='humanbody'))
val_dataloader = dict(
    sampler=dict(num_episodes=200),
    dataset=dict(split='humanbody', subset='test'),
)
test_dataloader = dict(
    sampler=dict(num_episodes=200), dataset=dict(split='humanbody')
)
