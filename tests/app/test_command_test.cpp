#include "app/test_command.h"

#include <cstdio>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "app/exit_code.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using testing::HasSubstr;

/// A port that takes connections (the kernel does, without anybody behind it), or one that refuses them.
class LocalPort {
 public:
  explicit LocalPort(bool listening) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(listening ? ::listen(descriptor_, 8) : 0, 0);
    number_ = ntohs(address.sin_port);
  }
  ~LocalPort() { ::close(descriptor_); }
  LocalPort(const LocalPort&) = delete;
  LocalPort& operator=(const LocalPort&) = delete;

  unsigned number() const { return number_; }

 private:
  int descriptor_;
  unsigned number_ = 0;
};

struct Ran {
  int code;
  std::string output;
};

Ran run(TestOptions::What what, ConfigSources sources) {
  testing::internal::CaptureStdout();
  const int code = run_test({what, std::move(sources)});
  std::fflush(stdout);
  return {code, testing::internal::GetCapturedStdout()};
}

TEST(TestConfig, SaysThatAllIsFineAndWhatHasNoEffect) {
  test::TemporaryDirectory directory;
  const std::string file = directory.write("w.yml", "output.logstash.hosts: h1\nsetup.ilm: {enabled: false}\n");
  const Ran ran = run(TestOptions::What::config, {file, {}, {}});
  EXPECT_EQ(ran.code, exit_all_acked);
  EXPECT_EQ(ran.output, fmt::format("warning: {}:2:22: setup is not used by Windlass\nconfiguration is fine\n", file));
}

TEST(TestConfig, ThrowsWhatIsWrong) {
  EXPECT_THROW(run_test({TestOptions::What::config, {std::nullopt, {"lumberjack://h1:x"}, {}}}), ConfigError);
}

TEST(TestOutput, ConnectsToEachHostAndTellsOfEach) {
  const LocalPort good(true);
  const LocalPort bad(false);
  const Ran both =
      run(TestOptions::What::output,
          {std::nullopt, {fmt::format("lumberjack://127.0.0.1:{},127.0.0.1:{}", good.number(), bad.number())}, {}});
  EXPECT_EQ(both.code, exit_incomplete);
  EXPECT_THAT(both.output, HasSubstr(fmt::format("  connection      passed  127.0.0.1:{} (", good.number())));
  EXPECT_THAT(both.output, HasSubstr(fmt::format(
                               "  connection      failed  connecting 127.0.0.1:{}: Connection refused", bad.number())));
  EXPECT_THAT(both.output, HasSubstr("is the server running, and is this its port?\n"));
  EXPECT_THAT(both.output, HasSubstr("  round trip      -       not tried: use --send-event"));
  EXPECT_THAT(both.output, HasSubstr("1 of 2 endpoints passed\n"));

  const Ran one =
      run(TestOptions::What::output, {std::nullopt, {fmt::format("lumberjack://127.0.0.1:{}", good.number())}, {}});
  EXPECT_EQ(one.code, exit_all_acked);
}

}  // namespace
}  // namespace windlass::app
