#pragma once

namespace cloudeasyml::serving {

class Scheduler {};

}  // namespace cloudeasyml::serving
