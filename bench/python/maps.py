"""What PyTorch's programs on maps share: the memory layout, and images that become maps in it."""
import torch

from program import argument_parser

VERSION = f'PyTorch {torch.__version__}'


def parse_arguments(description, **options):
    """Flags of this program (name=default) and those that all of PyTorch's know; sets the number of threads."""
    parser = argument_parser(description, **options)
    parser.add_argument('--layout', choices=['channels_last', 'contiguous'], default='channels_last')
    args = parser.parse_args()
    args.layout = torch.channels_last if args.layout == 'channels_last' else torch.contiguous_format
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    return args


def to_maps(inputs, layout, dtype=torch.float32):
    """uint8 images as maps in 0-1, features as they are, in the number type and the layout asked for."""
    if inputs.dtype != torch.uint8:
        return inputs.to(dtype).contiguous(memory_format=layout)
    # Maps of one channel count as being in either layout, so that contiguous() would leave them in the file's, and
    # convolutions go by the strides: only a new tensor has those of the layout asked for.
    return torch.empty(inputs.shape, dtype=dtype, memory_format=layout).copy_(inputs).div_(255)
