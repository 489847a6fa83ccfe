"""A dm_env_rpc server on a Unix socket in front of one Gymnasium env: its protocol has one env a
stream, and no batches."""

import multiprocessing
import pathlib
import tempfile
from concurrent import futures

import numpy as np
import player


class Catalogue:
    """The env's leaves as dm_env_rpc names them."""

    ACTION = 1
    OBSERVATION, REWARD, DISCOUNT = 1, 2, 3

    @staticmethod
    def specs(env):
        from dm_env_rpc.v1 import dm_env_rpc_pb2 as rpc

        def tensor(name, shape, dtype):
            return rpc.TensorSpec(name=name, shape=shape, dtype=dtype)

        return rpc.ActionObservationSpecs(
            actions={
                Catalogue.ACTION: tensor("action", env.action_space.shape, rpc.DataType.FLOAT)
            },
            observations={
                Catalogue.OBSERVATION: tensor(
                    "observation", env.observation_space.shape, rpc.DataType.DOUBLE
                ),
                Catalogue.REWARD: tensor("reward", (), rpc.DataType.DOUBLE),
                Catalogue.DISCOUNT: tensor("discount", (), rpc.DataType.DOUBLE),
            },
        )


def serve(args, path, cost):
    import grpc
    import gymnasium
    from dm_env_rpc.v1 import dm_env_rpc_pb2 as rpc
    from dm_env_rpc.v1 import dm_env_rpc_pb2_grpc, tensor_utils

    class Service(dm_env_rpc_pb2_grpc.EnvironmentServicer):
        def Process(self, requests, context):
            env = gymnasium.make(args.env)
            timed_step = cost.timed(env.step)
            running = False
            for request in requests:
                kind = request.WhichOneof("payload")
                response = rpc.EnvironmentResponse()
                getattr(response, kind).SetInParent()
                if kind == "create_world":
                    response.create_world.world_name = args.env
                elif kind == "join_world":
                    response.join_world.specs.CopyFrom(Catalogue.specs(env))
                elif kind == "reset":
                    running = False
                    response.reset.specs.CopyFrom(Catalogue.specs(env))
                elif kind == "step":
                    reward, ended = 0.0, False
                    if running:
                        action = tensor_utils.unpack_tensor(request.step.actions[Catalogue.ACTION])
                        observation, reward, terminated, truncated, _ = timed_step(action)
                        ended = terminated or truncated
                    else:
                        observation, _ = env.reset()
                    running = not ended
                    values = {
                        Catalogue.OBSERVATION: observation,
                        Catalogue.REWARD: np.float64(reward),
                        Catalogue.DISCOUNT: np.float64(0.0 if ended else 1.0),
                    }
                    response.step.state = (
                        rpc.EnvironmentStateType.TERMINATED
                        if ended
                        else rpc.EnvironmentStateType.RUNNING
                    )
                    for uid in request.step.requested_observations:
                        response.step.observations[uid].CopyFrom(
                            tensor_utils.pack_tensor(values[uid])
                        )
                yield response

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    dm_env_rpc_pb2_grpc.add_EnvironmentServicer_to_server(Service(), server)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    server.wait_for_termination()


def connect(path):
    import grpc
    from dm_env_rpc.v1 import connection, dm_env_adaptor
    from dm_env_rpc.v1 import dm_env_rpc_pb2 as rpc

    channel = grpc.insecure_channel(f"unix:{path}")
    grpc.channel_ready_future(channel).result(timeout=60)
    stream = connection.Connection(channel)
    world = stream.send(rpc.CreateWorldRequest()).world_name
    specs = stream.send(rpc.JoinWorldRequest(world_name=world)).specs
    return dm_env_adaptor.DmEnvAdaptor(
        stream,
        specs,
        requested_observations=dm_env_adaptor.AutoObservations.REQUEST_ALL_OBSERVATIONS,
    )


def main():
    args = player.parse_arguments()
    if args.num_envs != 1:
        player.play_turns({}, "", args.seconds)
        return
    path = pathlib.Path(tempfile.mkdtemp()) / "socket"
    cost = player.StepCost()
    server = multiprocessing.get_context("fork").Process(
        target=serve, args=(args, path, cost), daemon=True
    )
    server.start()
    import mujoco

    env = connect(path)
    side = player.lockstep(
        env.reset, lambda action: env.step({"action": action[0]}), player.read_actions(args), cost
    )
    player.play_turns({"dm_env_rpc": side}, f"MuJoCo {mujoco.__version__}", args.seconds)


if __name__ == "__main__":
    main()
