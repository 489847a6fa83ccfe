"""What is compared: env ids, with options other than the defaults, seeds and dtypes of actions."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    env_id: str
    name: str = "defaults"
    # Of the constructor.
    options: dict = dataclasses.field(default_factory=dict)
    # Of each reset.
    reset_options: dict = dataclasses.field(default_factory=dict)
    # Replaces the env's own.
    max_episode_steps: int | None = None
    # One lane each.
    seeds: tuple = (0, 42, 123456789)
    # Of Box actions.
    dtype: str = "float32"
    # A lane is reset after so many steps, or sooner where its episode ends.
    episode_steps: int = 400


def with_defaults(env_id, *others):
    """The env as it is, with float64 actions, and the other cases given."""
    yield Case(env_id)
    yield Case(env_id, "float64 actions", dtype="float64")
    for name, options in others:
        yield Case(env_id, name, options)


CLASSIC_CONTROL = [
    Case("CartPole-v0"),
    Case("CartPole-v1"),
    Case("CartPole-v1", "sutton-barto", {"sutton_barto_reward": True}),
    Case("CartPole-v1", "12 steps, other start", reset_options={"low": -0.01, "high": 0.02},
         max_episode_steps=12),
    Case("Acrobot-v1"),
    Case("Acrobot-v1", "other start", reset_options={"low": -1.5, "high": 1.5}),
    Case("MountainCar-v0"),
    Case("MountainCar-v0", "speed at goal", {"goal_velocity": 0.02},
         reset_options={"low": 0.2, "high": 0.45}),
    *with_defaults("MountainCarContinuous-v0"),
    Case("MountainCarContinuous-v0", "speed at goal", {"goal_velocity": 0.02},
         reset_options={"low": 0.2, "high": 0.44}),
    *with_defaults("Pendulum-v1", ("moon", {"g": 1.62})),
    Case("Pendulum-v1", "other start", reset_options={"x_init": 0.3, "y_init": 2.5}),
]

# Options that both versions of an env have, other than their defaults.
HOPPER = {
    "forward_reward_weight": 1.7,
    "ctrl_cost_weight": 0.01,
    "healthy_reward": 0.3,
    "healthy_state_range": (-2.0, 2.5),
    "healthy_z_range": (0.9, 1.4),
    "healthy_angle_range": (-0.3, 0.1),
    "reset_noise_scale": 0.01,
    "exclude_current_positions_from_observation": False,
}
WALKER2D = {
    "forward_reward_weight": 0.6,
    "ctrl_cost_weight": 0.02,
    "healthy_reward": 2.5,
    "healthy_z_range": (0.9, 1.8),
    "healthy_angle_range": (-0.6, 0.7),
    "reset_noise_scale": 0.02,
    "exclude_current_positions_from_observation": False,
}

MUJOCO_V4 = [
    *with_defaults(
        "Ant-v4",
        ("contact forces", {"use_contact_forces": True}),
        (
            "all options",
            {
                "xml_file": "ant.xml",
                "ctrl_cost_weight": 0.7,
                "use_contact_forces": True,
                "contact_cost_weight": 2e-3,
                "healthy_reward": 0.4,
                "healthy_z_range": (0.3, 0.9),
                "contact_force_range": (-0.5, 2.0),
                "reset_noise_scale": 0.2,
                "exclude_current_positions_from_observation": False,
            },
        ),
        (
            "never ends",
            {"terminate_when_unhealthy": False, "healthy_z_range": (0.5, 0.6)},
        ),
    ),
    *with_defaults(
        "HalfCheetah-v4",
        (
            "all options",
            {
                "forward_reward_weight": 0.9,
                "ctrl_cost_weight": 0.3,
                "reset_noise_scale": 0.03,
                "exclude_current_positions_from_observation": False,
            },
        ),
    ),
    *with_defaults(
        "Hopper-v4",
        ("all options", HOPPER),
        ("never ends", {"terminate_when_unhealthy": False}),
    ),
    *with_defaults(
        "Walker2d-v4",
        ("all options", WALKER2D),
        ("never ends", {"terminate_when_unhealthy": False}),
    ),
    *with_defaults("InvertedPendulum-v4"),
    *with_defaults("InvertedDoublePendulum-v4"),
    *with_defaults(
        "Humanoid-v4",
        (
            "all options",
            {
                "forward_reward_weight": 0.8,
                "ctrl_cost_weight": 0.3,
                "healthy_reward": 2.0,
                "healthy_z_range": (1.2, 1.5),
                "reset_noise_scale": 0.05,
                "exclude_current_positions_from_observation": False,
            },
        ),
        ("never ends", {"terminate_when_unhealthy": False}),
    ),
    *with_defaults("HumanoidStandup-v4"),
    *with_defaults(
        "Swimmer-v4",
        (
            "all options",
            {
                "forward_reward_weight": 1.4,
                "ctrl_cost_weight": 0.02,
                "reset_noise_scale": 0.3,
                "exclude_current_positions_from_observation": False,
            },
        ),
    ),
    *with_defaults("Reacher-v4"),
    *with_defaults("Pusher-v4"),
]

MUJOCO_V5 = [
    *with_defaults(
        "Ant-v5",
        (
            "all options",
            {
                "frame_skip": 3,
                "forward_reward_weight": 1.3,
                "ctrl_cost_weight": 0.7,
                "contact_cost_weight": 2e-3,
                "healthy_reward": 0.4,
                "main_body": "front_left_leg",
                "healthy_z_range": (0.3, 0.9),
                "contact_force_range": (-0.5, 2.0),
                "reset_noise_scale": 0.2,
                "exclude_current_positions_from_observation": False,
            },
        ),
        (
            "never ends",
            {
                "main_body": 3,
                "terminate_when_unhealthy": False,
                "healthy_z_range": (0.5, 0.6),
                "include_cfrc_ext_in_observation": False,
            },
        ),
    ),
    *with_defaults(
        "HalfCheetah-v5",
        (
            "all options",
            {
                "frame_skip": 2,
                "forward_reward_weight": 0.9,
                "ctrl_cost_weight": 0.3,
                "reset_noise_scale": 0.03,
                "exclude_current_positions_from_observation": False,
            },
        ),
    ),
    *with_defaults(
        "Hopper-v5",
        ("all options", {"frame_skip": 3, **HOPPER}),
        ("never ends", {"terminate_when_unhealthy": False}),
    ),
    *with_defaults(
        "Walker2d-v5",
        ("all options", {"xml_file": "walker2d.xml", "frame_skip": 5, **WALKER2D}),
        ("never ends", {"terminate_when_unhealthy": False}),
    ),
    *with_defaults(
        "InvertedPendulum-v5", ("all options", {"frame_skip": 1, "reset_noise_scale": 0.1})
    ),
    *with_defaults(
        "InvertedDoublePendulum-v5",
        (
            "all options",
            {"frame_skip": 3, "healthy_reward": 7.5, "reset_noise_scale": 0.2},
        ),
    ),
    *with_defaults(
        "Humanoid-v5",
        (
            "all options",
            {
                "frame_skip": 3,
                "forward_reward_weight": 0.8,
                "ctrl_cost_weight": 0.3,
                "contact_cost_weight": 1e-3,
                "contact_cost_range": (0.01, 3.0),
                "healthy_reward": 2.0,
                "healthy_z_range": (1.2, 1.5),
                "reset_noise_scale": 0.05,
                "exclude_current_positions_from_observation": False,
            },
        ),
        (
            "never ends",
            {
                "terminate_when_unhealthy": False,
                "include_cinert_in_observation": False,
                "include_cvel_in_observation": False,
                "include_qfrc_actuator_in_observation": False,
                "include_cfrc_ext_in_observation": False,
            },
        ),
    ),
    *with_defaults(
        "HumanoidStandup-v5",
        (
            "all options",
            {
                "frame_skip": 4,
                "uph_cost_weight": 2.0,
                "ctrl_cost_weight": 0.3,
                "impact_cost_weight": 1e-3,
                "impact_cost_range": (0.01, 3.0),
                "reset_noise_scale": 0.05,
                "exclude_current_positions_from_observation": False,
                "include_cvel_in_observation": False,
            },
        ),
    ),
    *with_defaults(
        "Swimmer-v5",
        (
            "all options",
            {
                "frame_skip": 3,
                "forward_reward_weight": 1.4,
                "ctrl_cost_weight": 0.02,
                "reset_noise_scale": 0.3,
                "exclude_current_positions_from_observation": False,
            },
        ),
    ),
    *with_defaults(
        "Reacher-v5",
        (
            "all options",
            {"frame_skip": 3, "reward_dist_weight": 1.7, "reward_control_weight": 0.3},
        ),
    ),
    *with_defaults(
        "Pusher-v5",
        (
            "all options",
            {
                "frame_skip": 3,
                "reward_near_weight": 0.7,
                "reward_dist_weight": 1.3,
                "reward_control_weight": 0.05,
            },
        ),
    ),
    Case("Ant-v5", "300 steps", {"terminate_when_unhealthy": False}, max_episode_steps=300),
]

CASES = CLASSIC_CONTROL + MUJOCO_V4 + MUJOCO_V5
