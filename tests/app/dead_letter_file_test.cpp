#include "app/dead_letter_file.h"

#include <boost/json/parse.hpp>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::chrono::system_clock::time_point moment(1714979289123ms);

DeadLetter letter_of(const std::vector<std::string>& events, errc reason = errc::undeliverable) {
  auto buffer = std::make_shared<EventBuffer>();
  for (const std::string& event : events) buffer->append(event);
  return {Batch(std::move(buffer)), reason, errc::connection_lost, 3, {"h1:5044", "h2:5044"}, "it \"said\""};
}

class DeadLetterFileTest : public testing::Test {
 protected:
  std::vector<std::string> lines() const {
    std::ifstream file(path_, std::ios::binary);
    std::vector<std::string> result;
    for (std::string line; std::getline(file, line);) result.push_back(line);
    return result;
  }

  const test::TemporaryDirectory directory_;
  const std::string path_ = (directory_.path() / "letters").string();
};

TEST_F(DeadLetterFileTest, TellsAllThatIsKnownOfAnEventInOneLine) {
  DeadLetterFile file(path_);
  file.keep(letter_of({R"({"message":"poison"})"}), moment);
  EXPECT_THAT(
      lines(),
      ElementsAre(R"({"time":"2024-05-06T07:08:09.123Z","reason":"undeliverable","error":")" +
                  make_error_code(errc::connection_lost).message() +
                  R"(: it \"said\"","sends":3,"endpoints":["h1:5044","h2:5044"],"event":{"message":"poison"}})"));
}

TEST_F(DeadLetterFileTest, HasWrittenEachEventOfALetterWhenItReturns) {
  DeadLetterFile file(path_);
  file.keep(letter_of({R"({"n":1})", R"({"n":2})"}, errc::rejected), moment);
  file.keep(letter_of({R"({"n":3})"}), moment);
  ASSERT_EQ(lines().size(), 3u);
  EXPECT_THAT(lines()[1], HasSubstr(R"("reason":"rejected")"));
  EXPECT_THAT(lines()[1], HasSubstr(R"("event":{"n":2})"));
  EXPECT_THAT(lines()[2], HasSubstr(R"("event":{"n":3})"));
}

TEST_F(DeadLetterFileTest, HasAnEventThatIsNoJsonObjectAsAString) {
  DeadLetterFile file(path_);
  const std::vector<std::string> events{"plain \"text\"\n", R"({"open":)", "{} {}", "17", ""};
  file.keep(letter_of(events), moment);
  const auto written = lines();
  ASSERT_EQ(written.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(boost::json::parse(written[i]).at("event").as_string(), events[i]);
}

TEST_F(DeadLetterFileTest, StaysJsonWhateverTheEventHolds) {
  DeadLetterFile file(path_);
  file.keep(letter_of({"{\n  \"n\": 1\n}", "\xff\x01"}), moment);
  const auto written = lines();
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(boost::json::parse(written[0]).at("event").at("n").as_int64(), 1);
  EXPECT_EQ(boost::json::parse(written[1]).at("event").as_string(), "\xef\xbf\xbd\x01");
}

TEST_F(DeadLetterFileTest, GoesOnWhereTheLastOneEnded) {
  DeadLetterFile(path_).keep(letter_of({"1"}), moment);
  DeadLetterFile(path_).keep(letter_of({"2"}), moment);
  EXPECT_EQ(lines().size(), 2u);
}

TEST_F(DeadLetterFileTest, IsForItsOwnerAlone) {
  const DeadLetterFile file(path_);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077u, 0u);
}

TEST_F(DeadLetterFileTest, NamesAFileThatCannotBeOpened) {
  const std::string path = (directory_.path() / "missing" / "letters").string();
  try {
    const DeadLetterFile file(path);
    FAIL() << "opened";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_THAT(error.what(), HasSubstr("dead_letter.file: " + path));
  }
}

TEST_F(DeadLetterFileTest, CountsWhatItCannotWriteAsDropped) {
  DeadLetterFile file("/dev/full");
  file.keep(letter_of({"1", "2"}), moment);
  file.keep(letter_of({"3"}, errc::rejected), moment);
  EXPECT_THAT(file.lost(), ElementsAre(Pair(errc::rejected, 1u), Pair(errc::undeliverable, 2u)));

  Ledger ledger;
  ledger.accepted = 10;
  ledger.acked = 6;
  ledger.dead_lettered = 3;
  ledger.dropped[errc::rejected] = 1;
  file.correct(ledger);
  EXPECT_EQ(ledger.dead_lettered, 0u);
  EXPECT_THAT(ledger.dropped, ElementsAre(Pair(errc::rejected, 2u), Pair(errc::undeliverable, 2u)));
  EXPECT_TRUE(ledger.balanced());
}

}  // namespace
}  // namespace windlass::app
