export { TextGenerationModel } from './model.js';
