_base_ = './mp100_cross-humanbody.py'

train_dataloader = dict(dataset=dict(split='vehicle'))
val_dataloader = dict(
    sampler=dict(num_episodes=100), dataset=dict(split='vehicle')
)
test_dataloader = dict(
    sampler=dict(num_episodes=100), dataset=dict(split='vehicle')
)
