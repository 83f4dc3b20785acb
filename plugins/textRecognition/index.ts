export { type ImageText, type TextLine, TextRecognitionModel } from './model.js';
