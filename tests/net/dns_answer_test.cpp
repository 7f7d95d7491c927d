#include "net/dns_answer.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace windlass::net {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

/// A DNS message as servers write them (RFC 1035), record by record.
class Message {
 public:
  static constexpr int a = 1, cname = 5, srv = 33;

  explicit Message(unsigned flags = 0x8180) : flags_(flags) {}

  static std::string number(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }
  /// "a.b" as labels; each may have any byte but a dot.
  static std::string labels(std::string_view name) {
    std::string result;
    while (!name.empty()) {
      const auto end = std::min(name.find('.'), name.size());
      result += static_cast<char>(end);
      result += name.substr(0, end);
      name.remove_prefix(std::min(end + 1, name.size()));
    }
    return result + '\0';
  }
  /// The name of the question again, as servers compress it.
  static std::string question_name() { return {'\xc0', 12}; }

  Message& record(int type, std::uint32_t ttl, const std::string& data, const std::string& owner = question_name()) {
    ++answers_;
    records_ += owner + number(static_cast<unsigned>(type)) + number(1) + number(ttl >> 16) + number(ttl & 0xffff) +
                number(static_cast<unsigned>(data.size())) + data;
    return *this;
  }
  Message& service(unsigned priority, unsigned weight, unsigned port, const std::string& target,
                   std::uint32_t ttl = 60) {
    return record(srv, ttl, number(priority) + number(weight) + number(port) + target);
  }
  std::string bytes() const {
    return number(4711) + number(flags_) + number(1) + number(answers_) + number(0) + number(0) +
           labels("_lumberjack._tcp.Example.org") + number(srv) + number(1) + records_;
  }

 private:
  unsigned flags_;
  unsigned answers_ = 0;
  std::string records_;
};

std::span<const unsigned char> as_message(std::string_view bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

struct Read {
  std::error_code error;
  std::vector<ServiceTarget> targets;
};
Read read(std::string_view bytes) {
  Read result;
  result.error = read_services(as_message(bytes), result.targets);
  return result;
}

ServiceTarget target(const char* host, std::uint16_t port, std::uint16_t priority, std::uint16_t weight) {
  return {{host, port}, priority, weight};
}

TEST(DnsAnswer, HasTheTargetsOfAServiceByPriority) {
  const Read answer = read(Message()
                               .service(10, 0, 5045, Message::labels("standby.example.org"))
                               .service(0, 3, 5044, Message::labels("h2.example.org"))
                               .service(0, 1, 5044, Message::labels("h1.example.org"))
                               .bytes());
  EXPECT_FALSE(answer.error);
  EXPECT_THAT(answer.targets, ElementsAre(target("h1.example.org", 5044, 0, 1), target("h2.example.org", 5044, 0, 3),
                                          target("standby.example.org", 5045, 10, 0)));
}

TEST(DnsAnswer, NamesAreThoseOfHostsWhateverTheirCaseAndCompression) {
  // "Example.org" stands at byte 12 + 17 of the message, behind "_lumberjack" and "_tcp".
  const std::string domain{'\xc0', 12 + 12 + 5};
  const Read answer = read(Message().service(0, 0, 1, std::string("\2H1") + domain).bytes());
  EXPECT_THAT(answer.targets, ElementsAre(target("h1.example.org", 1, 0, 0)));
}

TEST(DnsAnswer, RecordsThatNoConnectionCanBeMadeToArePassedOver) {
  Message message;
  for (const char* name : {"with blank.org", "quo\"te.org", "a/b.org", "semi;colon.org", "back\\slash.org",
                           "new\nline.org", "_another._tcp.org"})
    message.service(0, 0, 1, Message::labels(name));
  message.service(0, 0, 0, Message::labels("port-zero.org"));
  EXPECT_EQ(read(message.bytes()).error, DnsError::no_usable_records);
  message.service(0, 0, 1, Message::labels("fine.org"));
  EXPECT_THAT(read(message.bytes()).targets, ElementsAre(target("fine.org", 1, 0, 0)));
}

TEST(DnsAnswer, ADotAloneSaysThatTheServiceIsNotOffered) {
  Message message;
  message.service(0, 0, 0, Message::labels(""));
  EXPECT_EQ(read(message.bytes()).error, DnsError::not_offered);
  message.service(1, 0, 1, Message::labels("h1"));
  EXPECT_THAT(read(message.bytes()).targets, ElementsAre(target("h1", 1, 1, 0)));
}

TEST(DnsAnswer, AnAliasOnTheWayIsPassedOver) {
  const std::string elsewhere = Message::labels("_lumberjack._tcp.elsewhere.org");
  const Message message =
      Message()
          .record(Message::cname, 5, elsewhere)
          .record(Message::srv, 60,
                  Message::number(0) + Message::number(1) + Message::number(2) + Message::labels("h1.elsewhere.org"),
                  elsewhere);
  EXPECT_THAT(read(message.bytes()).targets, ElementsAre(target("h1.elsewhere.org", 2, 0, 1)));
  EXPECT_EQ(time_to_live(as_message(message.bytes())), seconds(5));
  EXPECT_EQ(read(Message().record(Message::cname, 5, elsewhere).bytes()).error, DnsError::no_records);
}

TEST(DnsAnswer, TheLeastTimeToLiveHolds) {
  const auto time = [](const Message& message) { return time_to_live(as_message(message.bytes())); };
  const std::string address{127, 0, 0, 1};
  EXPECT_EQ(time(Message().record(Message::a, 300, address).record(Message::a, 30, address)), seconds(30));
  EXPECT_EQ(time(Message().record(Message::a, 0x80000000, address)), seconds(0));
  EXPECT_EQ(time(Message()), std::nullopt);
}

TEST(DnsAnswer, WhatComesTwiceCountsOnceAndThereIsALimit) {
  Message message;
  for (unsigned number = 0; number < max_targets + 10; ++number) {
    message.service(number, 0, 1, "\2h1" + std::string{'\xc0', 12 + 12 + 5});
    message.service(number, 0, 1, "\2h1" + std::string{'\xc0', 12 + 12 + 5});
  }
  const Read answer = read(message.bytes());
  ASSERT_EQ(answer.targets.size(), max_targets);
  EXPECT_EQ(answer.targets.back().priority, max_targets - 1);
}

TEST(DnsAnswer, AMessageThatIsCutShortIsNoneAndNorIsAQuestion) {
  const std::string whole = Message().service(0, 0, 1, Message::labels("h1.example.org")).bytes();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(read(whole.substr(0, size)).error, DnsError::unreadable) << size;
  EXPECT_EQ(read(Message(0x0100).bytes()).error, DnsError::unreadable) << "a question";
  EXPECT_EQ(read(Message(0x8380).service(0, 0, 1, Message::labels("h1")).bytes()).error, DnsError::unreadable)
      << "the rest would have come over TCP";
  EXPECT_EQ(read(Message().service(0, 0, 1, std::string{'\xc0', static_cast<char>(0xff)}).bytes()).error,
            DnsError::unreadable)
      << "a name that lies behind the end";
}

RC_GTEST_PROP(DnsAnswerProperty, TargetsAreReadAsTheyWereWritten, ()) {
  using Number = std::uint16_t;
  const auto written = *rc::gen::unique<std::vector<std::tuple<Number, Number, Number>>>(
      rc::gen::tuple(rc::gen::arbitrary<Number>(), rc::gen::arbitrary<Number>(), rc::gen::nonZero<Number>()));
  Message message;
  std::vector<ServiceTarget> expected;
  for (const auto& [priority, weight, port] : written) {
    const std::string host = std::to_string(weight % 7).append(".example.org");
    message.service(priority, weight, port, Message::labels(host));
    expected.push_back({{host, port}, priority, weight});
  }
  std::vector<ServiceTarget> found = read(message.bytes()).targets;
  RC_ASSERT(std::ranges::is_sorted(found, {}, &ServiceTarget::priority));
  RC_ASSERT(found.size() == expected.size());
  RC_ASSERT(std::ranges::is_permutation(found, expected));
}

TEST(ServiceName, BeginsWithTwoUnderscores) {
  for (const char* name : {"_lumberjack._tcp.example.org", "_a._udp.b", "_a._tcp.b."})
    EXPECT_TRUE(is_service_name(name));
  for (const char* name : {"", "_", "h1", "_tcp.example.org", "_a.b._tcp.org", "_a._tcp", "_a._tcp.", "._a._tcp.b",
                           "_._tcp.b", "_a._.b", "a._b._tcp.org"})
    EXPECT_FALSE(is_service_name(name)) << name;
}

TEST(ServiceName, HasADomain) {
  EXPECT_EQ(service_domain("_lumberjack._tcp.Example.org."), "example.org");
  EXPECT_TRUE(is_in_domain("h1.example.org", "example.org"));
  EXPECT_TRUE(is_in_domain("EXAMPLE.org", "example.org"));
  EXPECT_FALSE(is_in_domain("badexample.org", "example.org"));
  EXPECT_FALSE(is_in_domain("org", "example.org"));
  EXPECT_FALSE(is_in_domain("example.org.evil.net", "example.org"));
}

}  // namespace
}  // namespace windlass::net
