#include "protocol/http_greeting.h"

#include <gtest/gtest.h>
#include <string>

#include <windlass/error.h>

namespace windlass::protocol {
namespace {

std::string answer_of(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Greeting : public testing::Test {
 protected:
  HttpGreeting greeting{"/es/", {{"Host", "h"}, {"Authorization", "Basic x"}}};
};

TEST_F(Greeting, AsksOnceTheConnectionStands) {
  greeting.start();
  EXPECT_TRUE(greeting.output().view().starts_with("GET /es/ HTTP/1.1\r\nHost: h\r\nAuthorization: Basic x\r\n"));
  EXPECT_FALSE(greeting.ready());
}

TEST_F(Greeting, TellsWhoAnswers) {
  const std::string answer = answer_of("200 OK", R"({"version":{"number":"2.19.6","distribution":"opensearch"}})");
  EXPECT_FALSE(greeting.receive(answer.substr(0, 50)));
  EXPECT_FALSE(greeting.ready());
  EXPECT_FALSE(greeting.receive(answer.substr(50)));
  EXPECT_TRUE(greeting.ready());
  EXPECT_TRUE(greeting.fine());
  EXPECT_EQ(greeting.said(), "GET /es/ is answered 200 OK by OpenSearch 2.19.6");
}

TEST_F(Greeting, IsFineWithAnAnswerThatDoesNotSayWho) {
  for (const char* body : {"", "<html>", "[]", R"({"version":{"number":7}})", R"({"version":{"number":"8 \n"}})"}) {
    HttpGreeting other("/", {});
    EXPECT_FALSE(other.receive(answer_of("200 OK", body)));
    EXPECT_TRUE(other.fine());
    EXPECT_EQ(other.said(), "GET / is answered 200 OK");
  }
}

TEST_F(Greeting, FailsWhereNobodyIsServed) {
  for (const auto& [status, error] : {std::pair("401 Unauthorized", errc::denied), {"503 Off", errc::temporary}}) {
    HttpGreeting other("/", {});
    EXPECT_EQ(other.receive(answer_of(status, "why")), error);
    EXPECT_EQ(other.error_detail(), std::string("GET / is answered ") + status + ": why");
  }
  EXPECT_EQ(greeting.receive("SSH-2.0\r\n\r\n"), errc::protocol_error);
  EXPECT_FALSE(greeting.error_detail().empty());
}

TEST_F(Greeting, ConcludesNothingFromWhatItMayNotAsk) {
  EXPECT_FALSE(greeting.receive(answer_of("403 Forbidden", "{}")));
  EXPECT_TRUE(greeting.ready());
  EXPECT_FALSE(greeting.fine());
  EXPECT_EQ(greeting.said(), "GET /es/ is answered 403 Forbidden");
}

}  // namespace
}  // namespace windlass::protocol
