#include "replication/keygen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "api/core.h"
#include "base/fd.h"
#include "base/process.h"
#include "replication/key_check.h"

namespace godwit::replication {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Keys : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/godwit-keys-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string put(const std::string& name, const std::string& content) const {
    const auto path = (dir_ / name).string();
    EXPECT_TRUE(writeFileAtomic(path, content, 0600).ok());
    return path;
  }
  RunOutput sshKeygen(std::vector<std::string> args) const {
    args.insert(args.begin(), "ssh-keygen");
    auto out = runProcess({.argv = args});
    EXPECT_TRUE(out.ok()) << "these tests need ssh-keygen";
    return out.ok() ? *out : RunOutput{};
  }
  std::filesystem::path dir_;
};

std::string firstTwoWords(const std::string& line) {
  return line.substr(0, line.find(' ', line.find(' ') + 1));
}

struct Kind {
  KeyType type;
  const char* word;
  const char* listed;
};
class EveryType : public Keys, public testing::WithParamInterface<Kind> {};

TEST_P(EveryType, IsReadByTheRealSshKeygen) {
  const auto pair = generateKeyPair(GetParam().type, "source@a.b");
  ASSERT_TRUE(pair.ok()) << pair.error().message;
  EXPECT_THAT(pair->publicKey, StartsWith(std::string(GetParam().word) + " "));
  EXPECT_THAT(pair->publicKey, HasSubstr(" source@a.b\n"));
  const auto path = put("key", pair->privateKey);
  const auto derived = sshKeygen({"-y", "-f", path});
  EXPECT_EQ(derived.status.code, 0) << derived.err;
  EXPECT_EQ(firstTwoWords(derived.out), firstTwoWords(pair->publicKey));
  const auto listed = sshKeygen({"-l", "-f", put("key.pub", pair->publicKey)});
  EXPECT_THAT(listed.out, HasSubstr(GetParam().listed));
}

TEST_P(EveryType, IsAcceptedByOurOwnCheck) {
  const auto pair = generateKeyPair(GetParam().type, "x");
  ASSERT_TRUE(pair.ok());
  const auto blob = publicBlobOfPrivateKey(pair->privateKey);
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(*blob, *publicBlobOfLine(pair->publicKey));
}

TEST(KeyPairs, AreNeverTheSameTwice) {
  EXPECT_NE(generateKeyPair(KeyType::Ed25519, "x")->publicKey, generateKeyPair(KeyType::Ed25519, "x")->publicKey);
}

INSTANTIATE_TEST_SUITE_P(Keys, EveryType,
                         testing::Values(Kind{KeyType::Ed25519, "ssh-ed25519", "(ED25519)"},
                                         Kind{KeyType::Rsa4096, "ssh-rsa", "4096 SHA256"},
                                         Kind{KeyType::Ecdsa, "ecdsa-sha2-nistp256", "(ECDSA)"}),
                         [](const auto& kind) { return std::to_string(static_cast<int>(kind.param.type)); });

struct UsersKey {
  std::vector<std::string> args;
};
class UsersKeys : public Keys, public testing::WithParamInterface<UsersKey> {};

TEST_P(UsersKeys, MadeBySshKeygenPass) {
  auto args = GetParam().args;
  const auto path = (dir_ / "k").string();
  for (const auto* more : {"-q", "-N", "", "-f"}) args.emplace_back(more);
  args.push_back(path);
  ASSERT_EQ(sshKeygen(args).status.code, 0);
  const auto blob = publicBlobOfPrivateKey(*readFile(path));
  ASSERT_TRUE(blob.ok()) << blob.error().message;
  EXPECT_EQ(*blob, *publicBlobOfLine(*readFile(path + ".pub")));
}

INSTANTIATE_TEST_SUITE_P(Keys, UsersKeys,
                         testing::Values(UsersKey{{"-t", "rsa", "-b", "2048"}}, UsersKey{{"-t", "ed25519"}},
                                         UsersKey{{"-t", "ecdsa", "-b", "384"}},
                                         UsersKey{{"-t", "rsa", "-b", "2048", "-m", "PEM"}},
                                         UsersKey{{"-t", "ecdsa", "-b", "521", "-m", "PKCS8"}}));

TEST_F(Keys, PassphrasesAreRefusedInBothFormats) {
  for (const char* format : {"RFC4716", "PEM"}) {
    const auto path = (dir_ / format).string();
    ASSERT_EQ(sshKeygen({"-q", "-t", "ecdsa", "-m", format, "-N", "secret", "-f", path}).status.code, 0);
    const auto blob = publicBlobOfPrivateKey(*readFile(path));
    ASSERT_FALSE(blob.ok());
    EXPECT_THAT(blob.error().message, HasSubstr("passphrase"));
  }
}

api::Secret secretOf(const KeyPair& source, const KeyPair& destination) {
  api::Secret secret;
  secret.meta.name = "keys";
  secret.data = {
      {"source", source.privateKey}, {"source.pub", source.publicKey}, {"destination.pub", destination.publicKey}};
  return secret;
}

class SecretCheck : public testing::Test {
 protected:
  const KeyPair source_ = *generateKeyPair(KeyType::Ed25519, "s"),
                destination_ = *generateKeyPair(KeyType::Ed25519, "d");
  api::Secret secret_ = secretOf(source_, destination_);
  std::string message(api::Role role = api::Role::Source) {
    const auto checked = checkKeySecret(role, secret_);
    return checked.ok() ? "ok" : checked.error().message;
  }
};

TEST_F(SecretCheck, AGoodOnePasses) {
  EXPECT_EQ(message(), "ok");
}

TEST_F(SecretCheck, CarriageReturnsAndAMissingLastNewlinePass) {
  std::string dos;
  for (char c : source_.privateKey) dos += c == '\n' ? "\r\n" : std::string(1, c);
  dos.resize(dos.size() - 2);
  secret_.data["source"] = dos;
  secret_.data["source.pub"] = source_.publicKey.substr(0, source_.publicKey.size() - 1) + "\r\n";
  EXPECT_EQ(message(), "ok");
}

TEST_F(SecretCheck, NamesTheFieldThatLacks) {
  secret_.data.erase("destination.pub");
  EXPECT_EQ(message(),
            "Secret keys: field destination.pub is missing; a source needs source, source.pub, destination.pub");
  EXPECT_THAT(message(api::Role::Destination), HasSubstr("field destination is missing"));
}

TEST_F(SecretCheck, NamesThePublicKeyOfAnotherPair) {
  secret_.data["source.pub"] = destination_.publicKey;
  EXPECT_THAT(message(), HasSubstr("field source.pub is not the public half of source"));
}

TEST_F(SecretCheck, RefusesRubbishInEveryField) {
  for (const auto& field : keyFields(api::Role::Source)) {
    auto damaged = secretOf(source_, destination_);
    damaged.data[field] = "ssh-ed25519 rubbish";
    std::swap(secret_, damaged);
    EXPECT_THAT(message(), HasSubstr("field " + field + " is ")) << field;
    EXPECT_THAT(message(), testing::Not(HasSubstr("rubbish")));
    std::swap(secret_, damaged);
  }
}

TEST_F(SecretCheck, AKeyCutAtAnyByteIsNeverAccepted) {
  const auto end = source_.privateKey.find("-----END") + std::string_view("-----END OPENSSH PRIVATE KEY-----").size();
  for (std::size_t size = 1; size < end; ++size) {
    secret_.data["source"] = source_.privateKey.substr(0, size);
    EXPECT_NE(message(), "ok") << size;
  }
}

}  // namespace
}  // namespace godwit::replication
