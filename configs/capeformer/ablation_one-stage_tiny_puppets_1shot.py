_base_ = './capeformer_tiny_puppets_1shot.py'

model = dict(head=dict(decoder=None, refine_loss=None))
