export { type Detection, type SpeechSegment, VoiceActivityModel } from './model.js';
