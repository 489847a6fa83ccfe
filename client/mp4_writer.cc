#include "client/mp4_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/output_file.h"

namespace hivewire {
namespace {

// What ffmpeg wrote to its standard error, on one line.
std::string LastLine(int descriptor) {
  char text[4096];
  const off_t size = lseek(descriptor, 0, SEEK_END);
  const off_t from = size > static_cast<off_t>(sizeof(text)) ? size - sizeof(text) : 0;
  const ssize_t count = pread(descriptor, text, sizeof(text), from);
  absl::string_view lines(text, count < 0 ? 0 : static_cast<size_t>(count));
  lines = absl::StripAsciiWhitespace(lines);
  return std::string(lines.substr(lines.rfind('\n') + 1));
}

class Mp4Writer final : public VideoWriter {
 public:
  Mp4Writer(OutputFile file, const VideoOptions& options)
      : VideoWriter(options), file_(std::move(file)) {}

  ~Mp4Writer() override {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      Wait();
    }
    CloseInput();
    if (errors_ >= 0) close(errors_);
  }

  absl::Status Start() {
    // A socket, not a pipe: a child that ends early must not end us by SIGPIPE.
    int ends[2];
    errors_ = memfd_create("ffmpeg-errors", MFD_CLOEXEC);
    if (errors_ < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return absl::ErrnoToStatus(errno, "cannot start ffmpeg");
    input_ = ends[0];
    const int error = Spawn(ends[1]);
    close(ends[1]);
    if (error == ENOENT) {
      return absl::FailedPreconditionError(
          "an .mp4 needs the program ffmpeg, which is not on PATH: install the Debian package "
          "\"ffmpeg\", or write a .gif");
    }
    return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "cannot start ffmpeg");
  }

  absl::Status Finish() override {
    CloseInput();
    const int status = Wait();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return Failed();
    return file_.Commit();
  }

 protected:
  absl::Status AddFrame(absl::string_view rgb) override {
    while (!rgb.empty()) {
      const ssize_t sent = send(input_, rgb.data(), rgb.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) {
        CloseInput();
        Wait();
        return Failed();
      }
      rgb.remove_prefix(static_cast<size_t>(sent));
    }
    return absl::OkStatus();
  }

 private:
  // An errno. Takes a process group of its own, so that Ctrl-C reaches us alone, who then clean up.
  int Spawn(int input) {
    std::vector<std::string> arguments = {
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
        // In: raw frames on standard input.
        "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size",
        absl::StrCat(options().width, "x", options().height), "-framerate",
        absl::StrCat(options().frames_per_second), "-i", "pipe:0",
        // Out: what every browser and player shows, which takes even sizes.
        "-an", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-preset", "veryfast",
        "-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4",
        absl::StrCat("file:", file_.temporary_path())};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, errors_, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int error = posix_spawnp(&child_, "ffmpeg", &actions, &attributes, argv.data(), environ);
    if (error != 0) child_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }

  void CloseInput() {
    if (input_ >= 0) close(std::exchange(input_, -1));
  }

  // The child's exit status; it has ended.
  int Wait() {
    int status = -1;
    while (child_ > 0 && waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    return status;
  }

  absl::Status Failed() const {
    const std::string why = LastLine(errors_);
    return absl::UnknownError(
        absl::StrCat("ffmpeg failed: ", why.empty() ? "it says nothing" : why));
  }

  OutputFile file_;
  pid_t child_ = -1;
  int input_ = -1;
  int errors_ = -1;  // a file in memory, which holds ffmpeg's messages
};

}  // namespace

absl::StatusOr<std::unique_ptr<VideoWriter>> MakeMp4Writer(const std::string& path,
                                                           const VideoOptions& options) {
  auto file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  auto writer = std::make_unique<Mp4Writer>(*std::move(file), options);
  const absl::Status status = writer->Start();
  if (!status.ok()) return status;
  return writer;
}

}  // namespace hivewire
