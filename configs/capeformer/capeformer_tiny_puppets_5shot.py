_base_ = './capeformer_tiny_puppets_1shot.py'

train_dataloader = dict(sampler=dict(num_shots=5))
val_dataloader = dict(sampler=dict(num_shots=5))
test_dataloader = dict(sampler=dict(num_shots=5))
